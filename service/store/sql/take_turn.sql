-- Takes the bucket of a source's name, the name, who wants to ask it, the time, and until when others keep away.
-- Gives the name when it is due and the asking is theirs.
UPDATE coverd.source
SET due_at = $5, owner = $3
WHERE bucket = $1 AND name = $2 AND due_at <= $4
RETURNING name
