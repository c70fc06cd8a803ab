-- Takes a source and an outcome (each null: any), the arrival of the last one seen, and how many.
-- Gives that many deliveries, newest first.
SELECT bucket, arrival, source, dedupe, body, headers::text AS headers, verdict, received_at, type, outcome, detail,
       streams, processed_at, attempt, skipped_at
FROM coverd.inbox
WHERE ($1::text IS NULL OR source = $1)
  AND ($2::text IS NULL OR outcome = $2)
  AND arrival < $3
ORDER BY arrival DESC
LIMIT $4
