-- Takes the bucket of an operation's id, the id, act, actor, reason, what was asked, its targets, how many matched,
-- and the time. One that has begun before stays as it is.
INSERT INTO coverd.operation (bucket, id, act, actor, reason, asked, targets, matched, began_at)
VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8, $9)
ON CONFLICT (bucket, id) DO NOTHING
