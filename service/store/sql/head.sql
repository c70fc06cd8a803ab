-- Takes a bucket and a stream id.
-- Gives the stream now; nothing where nothing was ever appended.
SELECT version, state, status::text AS status, updated_at, head_hash
FROM coverd.stream
WHERE bucket = $1 AND stream_id = $2 AND version > 0
