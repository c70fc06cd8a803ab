-- Takes a projection and a revision.
-- Gives the buckets it has applied anything in.
SELECT bucket
FROM coverd.subscription
WHERE projection = $1 AND revision = $2 AND position > 0
ORDER BY bucket
