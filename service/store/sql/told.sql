-- Takes a bucket.
-- Gives what a fold needs of its events, in order.
SELECT stream_id, version, type, effective_at, data::text AS data
FROM coverd.event
WHERE bucket = $1
ORDER BY position
