-- Takes a bucket, a projection, a revision, the position reached and the time.
UPDATE coverd.subscription
SET position = $4, advanced_at = $5
WHERE bucket = $1 AND projection = $2 AND revision = $3
