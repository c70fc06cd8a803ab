-- Takes the bucket of a source's name, the name, the time, why it could not be asked (null: it answered all), when
-- to ask next, and how many seconds it may leave what it is asked unanswered (null: nobody asks).
-- Records how the asking went, and keeps the silence that an answer ends, if there was one.
WITH was AS MATERIALIZED (
  SELECT bucket, name, coalesce(heard_at, since) AS since, coalesce(asked_at, since) + make_interval(secs => $6) AS found_after
  FROM coverd.source
  WHERE bucket = $1 AND name = $2
  FOR UPDATE
), silence AS (
  INSERT INTO coverd.silence (bucket, name, since, found_after, until)
  SELECT bucket, name, since, found_after, $3
  FROM was
  WHERE $4::text IS NULL AND found_after < $3 AND since < $3
  ON CONFLICT DO NOTHING
)
UPDATE coverd.source s
SET asked_at = CASE WHEN $4::text IS NULL THEN $3 ELSE s.asked_at END,
    heard_at = CASE WHEN $4::text IS NULL THEN greatest(s.heard_at, $3) ELSE s.heard_at END,
    failing_since = CASE WHEN $4::text IS NOT NULL THEN coalesce(s.failing_since, $3) END,
    error = $4,
    due_at = $5,
    owner = NULL
FROM was
WHERE s.bucket = was.bucket AND s.name = was.name
