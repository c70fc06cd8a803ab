-- Takes the bucket of a survey's name, the name, the time it was taken, what was counted, and when it is due next.
UPDATE coverd.survey
SET taken_at = $3, counts = $4::json, due_at = $5
WHERE bucket = $1 AND name = $2
