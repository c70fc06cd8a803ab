-- Takes a bucket, a position, the last position wanted, and how many.
-- Gives that many of the bucket's events after the position, in order, each with the hash its own builds on.
SELECT e.stream_id, e.bucket, e.position, e.version, e.type, e.schema, e.recorded_at, e.effective_at,
       e.cause, e.correlation, e.actor, coalesce(p.hash, decode(repeat('00', 32), 'hex')) AS previous, e.hash,
       e.data::text AS data
FROM coverd.event e
LEFT JOIN coverd.event p ON p.bucket = e.bucket AND p.stream_id = e.stream_id AND p.version = e.version - 1
WHERE e.bucket = $1 AND e.position > $2 AND e.position <= $3
ORDER BY e.position
LIMIT $4
