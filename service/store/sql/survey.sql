-- Takes the bucket of a survey's name, and the name.
-- Gives when it was taken last, and what was counted.
SELECT taken_at, counts::text AS counts
FROM coverd.survey
WHERE bucket = $1 AND name = $2 AND taken_at IS NOT NULL
