-- Takes a projection, an old and a new revision.
-- Gives whether the new one is behind the old one anywhere.
SELECT EXISTS (
  SELECT
  FROM coverd.subscription o
  JOIN coverd.subscription n ON n.bucket = o.bucket AND n.projection = o.projection
  WHERE o.projection = $1 AND o.revision = $2 AND n.revision = $3 AND n.position < o.position
)
