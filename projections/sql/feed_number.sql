-- Takes how many events, and their buckets and positions as columns of text, in order.
-- Numbers them behind all that were numbered before, and holds off whoever would number next until commit.
WITH head AS (
  UPDATE coverd.feed_head SET seq = seq + $1 RETURNING seq - $1 AS before
)
INSERT INTO coverd.feed (seq, bucket, position, stream_id, version, type, recorded_at)
SELECT head.before + n.ordinal, e.bucket, e.position, e.stream_id, e.version, e.type, e.recorded_at
FROM head
CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS n (bucket, position, ordinal)
JOIN coverd.event e ON e.bucket = n.bucket::int AND e.position = n.position::bigint
