-- Takes a bucket, a projection, a revision, a position, the error after it and the time.
-- Stops the bucket there, unless it has moved on since.
UPDATE coverd.subscription
SET error = $5, stopped_at = $6
WHERE bucket = $1 AND projection = $2 AND revision = $3 AND position = $4
