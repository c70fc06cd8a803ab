-- Takes a projection and a revision (null: the one that serves).
-- Gives the buckets whose log reaches beyond its checkpoint, and how far it reaches; none that are stopped.
SELECT s.bucket, s.revision, h.position AS head
FROM coverd.subscription s
JOIN coverd.bucket_head h ON h.bucket = s.bucket
JOIN coverd.projection p ON p.name = s.projection
WHERE s.projection = $1
  AND s.revision = coalesce($2, p.live)
  AND s.error IS NULL
  AND h.position > s.position
ORDER BY s.bucket
