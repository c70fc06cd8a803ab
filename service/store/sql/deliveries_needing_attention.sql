-- Takes since when a parked delivery counts as long parked, an outcome (null: any), the arrival of the last one seen,
-- and how many.
-- Gives what a person must look at, newest first; of each unknown type only the first that came.
SELECT bucket, arrival, source, dedupe, body, headers::text AS headers, verdict, received_at, type, outcome, detail,
       streams, processed_at, attempt, skipped_at
FROM coverd.inbox i
WHERE outcome IN ('unknown_type', 'unusable', 'parked', 'failed')
  AND skipped_at IS NULL
  AND ($2::text IS NULL OR outcome = $2)
  AND arrival < $3
  AND (outcome <> 'parked' OR parked_at <= $1)
  AND (outcome <> 'unknown_type' OR NOT EXISTS (
        SELECT FROM coverd.inbox earlier
        WHERE earlier.outcome = 'unknown_type' AND earlier.source = i.source
          AND earlier.type IS NOT DISTINCT FROM i.type AND earlier.arrival < i.arrival
      ))
ORDER BY arrival DESC
LIMIT $4
