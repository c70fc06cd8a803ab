-- Takes the bucket of a token's name, the name, the number of the token that was seen (0: none), who wants to fetch
-- another, the time, and until when others keep away.
-- Gives the name when that token is still the latest and the fetching is theirs.
UPDATE coverd.oauth_token
SET owner = $4, leased_until = $6
WHERE bucket = $1 AND name = $2 AND number = $3 AND (leased_until IS NULL OR leased_until <= $5)
RETURNING name
