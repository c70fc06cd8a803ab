-- Takes buckets, a projection, an old and a new revision.
-- Gives those of the buckets in which both have come equally far.
SELECT bucket
FROM coverd.subscription o
JOIN coverd.subscription n USING (bucket, projection)
WHERE bucket = ANY($1::int[]) AND projection = $2 AND o.revision = $3 AND n.revision = $4
  AND o.position = n.position
