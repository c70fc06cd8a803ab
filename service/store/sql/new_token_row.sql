-- Takes the bucket of a token's name and the name: a row without a token.
INSERT INTO coverd.oauth_token (bucket, name, number) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING
