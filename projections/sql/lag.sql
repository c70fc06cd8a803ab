-- Takes a projection.
-- Gives how many events its serving revision is behind, in how many buckets, and how many are stopped.
SELECT coalesce(sum(h.position - s.position), 0)::bigint AS events,
       count(*) FILTER (WHERE h.position > s.position) AS buckets,
       count(*) FILTER (WHERE s.error IS NOT NULL) AS stopped
FROM coverd.subscription s
JOIN coverd.projection p ON p.name = s.projection AND p.live = s.revision
LEFT JOIN coverd.bucket_head h ON h.bucket = s.bucket
WHERE s.projection = $1
