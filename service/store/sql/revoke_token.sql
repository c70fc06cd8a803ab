-- Takes a bucket, an id and now.
-- Gives since when the token is revoked, no row where there is none.
UPDATE coverd.api_token SET revoked_at = coalesce(revoked_at, $3)
WHERE bucket = $1 AND token_id = $2
RETURNING revoked_at
