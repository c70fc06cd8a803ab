-- Takes the bucket of a source's name, the name, who asks it, and until when others keep away.
-- Gives the name while the asking is still theirs.
UPDATE coverd.source
SET due_at = $4
WHERE bucket = $1 AND name = $2 AND owner = $3
RETURNING name
