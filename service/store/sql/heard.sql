-- Takes the bucket of a source's name, the name, the time, and how many seconds it may leave what it is asked
-- unanswered (null: nobody asks).
-- Notes that the source spoke, and keeps the silence before it, if there was one.
WITH was AS MATERIALIZED (
  SELECT bucket, name, coalesce(heard_at, since) AS since, coalesce(asked_at, since) + make_interval(secs => $4) AS found_after
  FROM coverd.source
  WHERE bucket = $1 AND name = $2
  FOR UPDATE
), silence AS (
  INSERT INTO coverd.silence (bucket, name, since, found_after, until)
  SELECT bucket, name, since, found_after, $3 FROM was WHERE found_after < $3 AND since < $3
  ON CONFLICT DO NOTHING
)
UPDATE coverd.source s
SET heard_at = greatest(s.heard_at, $3)
FROM was
WHERE s.bucket = was.bucket AND s.name = was.name
