-- Takes a bucket.
-- Gives all its events in order.
SELECT stream_id, version, position, type, schema, effective_at, recorded_at,
       cause, correlation, actor, data::text AS data, hash
FROM coverd.event
WHERE bucket = $1
ORDER BY position
