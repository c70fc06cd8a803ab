-- Takes a bucket and an arrival.
-- Gives that delivery.
SELECT bucket, arrival, source, dedupe, body, headers::text AS headers, verdict, received_at, type, outcome, detail,
       streams, processed_at, attempt, skipped_at
FROM coverd.inbox
WHERE bucket = $1 AND arrival = $2
