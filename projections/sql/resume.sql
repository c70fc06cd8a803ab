-- Takes a bucket, a projection and a revision: it is tried again from where it stopped.
UPDATE coverd.subscription
SET error = NULL, stopped_at = NULL
WHERE bucket = $1 AND projection = $2 AND revision = $3
