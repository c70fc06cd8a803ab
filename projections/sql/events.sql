-- Takes a bucket, a position and how many.
-- Gives that many events of the bucket after the position, in order.
SELECT stream_id, version, position, type, recorded_at, effective_at, data::text AS data, bucket
FROM coverd.event
WHERE bucket = $1 AND position > $2
ORDER BY position
LIMIT $3
