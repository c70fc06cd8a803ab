-- Takes the bucket of a survey's name, the name, the time and the end of the lease.
-- Gives a row to one caller when the survey is due.
UPDATE coverd.survey
SET due_at = $4
WHERE bucket = $1 AND name = $2 AND due_at <= $3
RETURNING name
