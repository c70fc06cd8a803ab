-- Takes the bucket of a token's name, the name, and who meant to fetch it: somebody else may.
UPDATE coverd.oauth_token SET owner = NULL, leased_until = NULL WHERE bucket = $1 AND name = $2 AND owner = $3
