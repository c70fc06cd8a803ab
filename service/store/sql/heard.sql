-- Takes the bucket of a source's name, the name and the time.
-- Notes that the source spoke.
UPDATE coverd.source
SET heard_at = greatest(heard_at, $3)
WHERE bucket = $1 AND name = $2
