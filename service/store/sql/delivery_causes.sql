-- Takes since when a parked delivery counts as long parked.
-- Gives one row for each source, outcome and type of what a person must look at, the most frequent first. An unknown
-- type waits as long as the first delivery of it does, and then all of them count.
SELECT source, outcome, type, count(*) AS count, min(received_at) AS first_seen, max(received_at) AS last_seen,
       max(arrival::text || ' ' || bucket) AS latest
FROM coverd.inbox
WHERE outcome IN ('unknown_type', 'unusable', 'parked', 'failed')
  AND (outcome = 'unknown_type' OR skipped_at IS NULL)
  AND (outcome <> 'parked' OR parked_at <= $1)
GROUP BY source, outcome, type
HAVING outcome <> 'unknown_type' OR min(arrival::text) = min(arrival::text) FILTER (WHERE skipped_at IS NULL)
ORDER BY count DESC, source, outcome, type
