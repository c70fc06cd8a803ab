-- Takes a first and a last bucket.
-- Gives what a fold needs of their events: stream after stream, and each stream's in order.
SELECT bucket, stream_id, version, type, effective_at, data
FROM coverd.event
WHERE bucket BETWEEN $1 AND $2
ORDER BY bucket, stream_id, version
