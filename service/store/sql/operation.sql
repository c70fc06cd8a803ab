-- Takes the bucket of an operation's id, and the id.
-- Gives the operation.
SELECT id, act, actor, reason, asked::text AS asked, targets::text AS targets, matched, began_at, ended_at,
       result::text AS result
FROM coverd.operation
WHERE bucket = $1 AND id = $2
