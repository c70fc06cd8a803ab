-- Takes a bucket, a projection, an old and a new revision.
-- Gives whether both have come equally far in the bucket.
SELECT o.position = n.position
FROM coverd.subscription o
JOIN coverd.subscription n ON n.bucket = o.bucket AND n.projection = o.projection
WHERE o.bucket = $1 AND o.projection = $2 AND o.revision = $3 AND n.revision = $4
