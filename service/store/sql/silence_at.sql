-- Takes the bucket of a source's name, the name and a time.
-- Gives since when the source was silent at that time, where it has been heard again; no row where it was not.
SELECT since
FROM (
  SELECT since, found_after, until
  FROM coverd.silence
  WHERE bucket = $1 AND name = $2 AND since <= $3
  ORDER BY since DESC
  LIMIT 1
) last
WHERE found_after < $3 AND $3 < until
