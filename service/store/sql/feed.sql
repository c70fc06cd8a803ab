-- Takes a bucket, a position and how many.
-- Gives that many of the bucket's events after the position, in order and without a hole.
SELECT stream_id, bucket, version, position, type, schema, recorded_at, effective_at,
       cause, correlation, actor, data::text AS data, hash
FROM coverd.event
WHERE bucket = $1 AND position > $2
ORDER BY position
LIMIT $3
