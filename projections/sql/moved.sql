-- Takes a projection, a revision (null: the one that serves) and the projections it follows.
-- Gives the buckets where it may go on, and how far: to the end of the log, and no further than those it
-- follows have come there. None in which it is stopped; one that is stopped there itself is not waited for.
SELECT s.bucket, s.revision, r.head
FROM coverd.subscription s
JOIN coverd.bucket_head h ON h.bucket = s.bucket
JOIN coverd.projection p ON p.name = s.projection
CROSS JOIN LATERAL (
  SELECT least(h.position, min(o.position)) AS head
  FROM coverd.subscription o
  JOIN coverd.projection serving ON serving.name = o.projection AND serving.live = o.revision
  WHERE o.bucket = s.bucket AND o.projection = ANY ($3::text[]) AND o.error IS NULL
) r
WHERE s.projection = $1
  AND s.revision = coalesce($2, p.live)
  AND s.error IS NULL
  AND h.position > s.position
  AND r.head > s.position
ORDER BY s.bucket
