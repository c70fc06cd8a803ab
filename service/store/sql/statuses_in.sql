-- Takes a bucket.
-- Gives what the heads of its streams answer.
SELECT stream_id, version, state, status::text AS status
FROM coverd.stream
WHERE bucket = $1 AND version > 0
ORDER BY stream_id
