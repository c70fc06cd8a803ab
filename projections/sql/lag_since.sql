-- Gives when the oldest event was recorded that a serving read model has not applied yet; null where there is none.
SELECT min(e.recorded_at)
FROM coverd.subscription s
JOIN coverd.projection p ON p.name = s.projection AND p.live = s.revision
JOIN coverd.bucket_head h ON h.bucket = s.bucket AND h.position > s.position
CROSS JOIN LATERAL (
  SELECT recorded_at FROM coverd.event WHERE bucket = s.bucket AND position = s.position + 1
) e
