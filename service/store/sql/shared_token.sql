-- Takes the bucket of a token's name and the name. Gives the latest token, if there is a row.
SELECT number, sealed, until FROM coverd.oauth_token WHERE bucket = $1 AND name = $2
