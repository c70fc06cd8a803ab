-- Takes the bucket of a token's name, the name, who fetched it, the sealed token, and when it runs out.
-- Others see it from now on, unless somebody else fetches by now.
UPDATE coverd.oauth_token
SET number = number + 1, sealed = $4, until = $5, owner = NULL, leased_until = NULL
WHERE bucket = $1 AND name = $2 AND owner = $3
