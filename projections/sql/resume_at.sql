-- Takes a bucket, a projection, a revision and the position of the event it is stopped at.
-- Lets it go on, and gives its checkpoint; nothing when it is not stopped there.
UPDATE coverd.subscription
SET error = NULL, stopped_at = NULL
WHERE bucket = $1 AND projection = $2 AND revision = $3 AND position + 1 = $4 AND error IS NOT NULL
RETURNING position
