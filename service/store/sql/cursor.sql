-- Takes the bucket of a cursor's name and the name.
-- Gives its place.
SELECT place
FROM coverd.cursor
WHERE bucket = $1 AND name = $2
