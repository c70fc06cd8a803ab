-- Takes a bucket, an id, a name, a scope, the SHA-256 of the token, now, and when it expires.
INSERT INTO coverd.api_token (bucket, token_id, name, scope, digest, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
