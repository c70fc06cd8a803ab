-- Takes a projection and a revision (null: the one that serves).
-- Gives the buckets stopped, each with the position of the event it could not apply.
SELECT s.projection, s.revision, s.bucket, s.position + 1 AS position, s.error, s.stopped_at
FROM coverd.subscription s
JOIN coverd.projection p ON p.name = s.projection
WHERE s.projection = $1 AND s.revision = coalesce($2, p.live) AND s.error IS NOT NULL
ORDER BY s.bucket
