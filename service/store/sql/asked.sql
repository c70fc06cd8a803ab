-- Takes the bucket of a source's name, the name, the time, why it could not be asked (null: it answered all) and
-- when to ask next.
-- Records how the asking went.
UPDATE coverd.source
SET asked_at = CASE WHEN $4::text IS NULL THEN $3 ELSE asked_at END,
    heard_at = CASE WHEN $4::text IS NULL THEN greatest(heard_at, $3) ELSE heard_at END,
    failing_since = CASE WHEN $4::text IS NOT NULL THEN coalesce(failing_since, $3) END,
    error = $4,
    due_at = $5,
    owner = NULL
WHERE bucket = $1 AND name = $2
