-- Takes nothing.
-- Gives every token ever made, the oldest first.
SELECT token_id, name, scope, digest, created_at, expires_at, revoked_at, last_used_at
FROM coverd.api_token
ORDER BY created_at, token_id
