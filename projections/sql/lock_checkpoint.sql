-- Takes a bucket, a projection and a revision.
-- Gives the position reached and locks it; nothing while another runner holds it, once it is stopped or gone.
SELECT position
FROM coverd.subscription
WHERE bucket = $1 AND projection = $2 AND revision = $3 AND error IS NULL
FOR UPDATE SKIP LOCKED
