-- Takes a bucket, an id and when the token was used.
UPDATE coverd.api_token SET last_used_at = greatest(last_used_at, $3)
WHERE bucket = $1 AND token_id = $2
