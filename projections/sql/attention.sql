-- Takes how many, and further values for the filters put in here.
-- Gives that many things that wait for a person, the longest waiting first.
SELECT a.engagement_id, a.code, nullif(a.step, '') AS step, a.message, a.clears, a.since, a.first_seen, a.last_seen,
       a.count
FROM coverd.attention a
WHERE cleared_at IS NULL AND /* filters */ true
ORDER BY a.since, a.engagement_id, a.code, a.step
LIMIT $1
