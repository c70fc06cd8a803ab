-- Takes a bucket.
-- Gives the heads of its streams, for whoever verifies their chains.
SELECT stream_id, version, head_hash
FROM coverd.stream
WHERE bucket = $1 AND version > 0
ORDER BY stream_id
