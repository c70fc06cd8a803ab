-- Takes nothing.
-- Gives every source listened to.
SELECT name, since, heard_at, asked_at, failing_since, error, due_at
FROM coverd.source
ORDER BY name
