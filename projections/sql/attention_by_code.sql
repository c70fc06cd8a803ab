-- Gives one row for each code under which something waits.
SELECT code, sum(items)::bigint AS count, count(*) AS engagements,
       min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT code, count(*) AS items, min(first_seen) AS first_seen, max(last_seen) AS last_seen
  FROM coverd.attention
  WHERE cleared_at IS NULL
  GROUP BY code, bucket, engagement_id
) e
GROUP BY code
ORDER BY count DESC, code
