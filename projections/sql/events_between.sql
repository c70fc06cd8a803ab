-- Takes a first and a last bucket.
-- Gives all their events, bucket after bucket, stream after stream, and each stream's in order; the bucket stands last.
SELECT stream_id, version, position, type, recorded_at, effective_at, data, bucket
FROM coverd.event
WHERE bucket BETWEEN $1 AND $2
ORDER BY bucket, stream_id, version
