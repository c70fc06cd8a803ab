-- Takes how many, and further values for the filters put in here.
-- Gives that many things that wait for a person, the longest waiting first.
SELECT engagement_id, code, nullif(step, '') AS step, message, clears, since, first_seen, last_seen, count
FROM coverd.attention
WHERE cleared_at IS NULL AND /* filters */ true
ORDER BY since, engagement_id, code, step
LIMIT $1
