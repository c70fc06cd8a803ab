-- Takes since when a parked delivery counts as long parked, and how many.
-- Gives what a person must look at, newest first; of each unknown type only the first that came.
SELECT bucket, arrival, source, dedupe, body, headers::text AS headers, verdict, received_at, type, outcome, detail,
       streams, processed_at, attempt
FROM coverd.inbox i
WHERE outcome IN ('unknown_type', 'unusable', 'parked', 'failed')
  AND (outcome <> 'parked' OR parked_at <= $1)
  AND (outcome <> 'unknown_type' OR NOT EXISTS (
        SELECT FROM coverd.inbox earlier
        WHERE earlier.outcome = 'unknown_type' AND earlier.source = i.source
          AND earlier.type IS NOT DISTINCT FROM i.type AND earlier.arrival < i.arrival
      ))
ORDER BY arrival DESC
LIMIT $2
