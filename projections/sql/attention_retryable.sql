-- Takes how many, codes that no retry moves, and further values for the filters put in here.
-- Gives that many engagements on which something else waits, the longest waiting first: each with the steps to begin
-- afresh, where an empty one stands for reading the contract again.
SELECT engagement_id, array_agg(DISTINCT step ORDER BY step) AS steps
FROM coverd.attention
WHERE cleared_at IS NULL AND code <> ALL ($2::text[]) AND /* filters */ true
GROUP BY bucket, engagement_id
ORDER BY min(since), min(last_seen), engagement_id
LIMIT $1
