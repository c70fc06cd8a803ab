-- Gives one row for each code under which something waits.
SELECT code, count(*) AS count, count(DISTINCT (bucket, engagement_id)) AS engagements,
       min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM coverd.attention
WHERE cleared_at IS NULL
GROUP BY code
ORDER BY count DESC, code
