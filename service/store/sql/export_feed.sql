-- Takes a number, the last number wanted, and how many.
-- Gives that many events of the feed numbered after it, in order, each with the hash its own builds on.
SELECT f.seq, e.stream_id, e.bucket, e.position, e.version, e.type, e.schema, e.recorded_at, e.effective_at,
       e.cause, e.correlation, e.actor, coalesce(p.hash, decode(repeat('00', 32), 'hex')) AS previous, e.hash,
       e.data::text AS data
FROM (
  SELECT seq, bucket, position FROM coverd.feed WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3
) f
JOIN coverd.event e ON e.bucket = f.bucket AND e.position = f.position
LEFT JOIN coverd.event p ON p.bucket = e.bucket AND p.stream_id = e.stream_id AND p.version = e.version - 1
ORDER BY f.seq
