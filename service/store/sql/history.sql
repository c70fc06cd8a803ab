-- Takes a bucket, a stream id, a version and how many (null: all).
-- Gives that many of the stream's events after the version, oldest first.
SELECT stream_id, bucket, version, position, type, schema, recorded_at, effective_at,
       cause, correlation, actor, data::text AS data, hash
FROM coverd.event
WHERE bucket = $1 AND stream_id = $2 AND version > $3
ORDER BY version
LIMIT $4
