-- Takes a number, how many, and further values for the filters put in here.
-- Gives that many events numbered after it, in order.
SELECT f.seq, e.stream_id, e.bucket, e.version, e.position, e.type, e.recorded_at, e.effective_at,
       e.cause, e.correlation, e.actor, e.data::text AS data, e.hash
FROM (
  SELECT seq, bucket, position
  FROM coverd.feed
  WHERE seq > $1 AND /* filters */ true
  ORDER BY seq
  LIMIT $2
) f
JOIN coverd.event e ON e.bucket = f.bucket AND e.position = f.position
ORDER BY f.seq
