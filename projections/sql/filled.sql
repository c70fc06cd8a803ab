-- Takes a projection, a revision, buckets and the positions reached in them as columns of text, and the time.
-- Moves checkpoints that still stand at the beginning there, and gives how many did.
WITH moved AS (
  UPDATE coverd.subscription s
  SET position = r.position::bigint, advanced_at = $5
  FROM unnest($3::text[], $4::text[]) AS r (bucket, position)
  WHERE s.bucket = r.bucket::int AND s.projection = $1 AND s.revision = $2
    AND s.position = 0 AND s.error IS NULL
  RETURNING s.bucket
)
SELECT count(*) FROM moved
