-- Takes a bucket, how many events, and their positions in order as text.
-- Numbers them behind all that were numbered before, and holds off whoever would number next until commit.
WITH head AS (
  UPDATE coverd.feed_head SET seq = seq + $2 RETURNING seq - $2 AS before
)
INSERT INTO coverd.feed (seq, bucket, position, stream_id, version, type, recorded_at)
SELECT head.before + n.ordinal, e.bucket, e.position, e.stream_id, e.version, e.type, e.recorded_at
FROM head
CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS n (position, ordinal)
JOIN coverd.event e ON e.bucket = $1 AND e.position = n.position::bigint
