-- Takes a bucket, a projection, a position, a reason, who says so, the time and the error: never apply it.
INSERT INTO coverd.skipped_event (bucket, projection, position, reason, actor, skipped_at, error)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (bucket, projection, position) DO NOTHING
