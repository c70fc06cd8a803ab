-- Takes the bucket of an operation's id, the id, the time and what came of it. One that has ended stays as it is.
UPDATE coverd.operation
SET ended_at = $3, result = $4::json
WHERE bucket = $1 AND id = $2 AND ended_at IS NULL
