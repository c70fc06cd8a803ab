-- Takes how many, the time and the end of the lease.
-- Leases that many due deliveries and gives them, the longest due first.
SELECT bucket, arrival, source, dedupe, body, headers::text AS headers, verdict, received_at, type, outcome, detail,
       streams, processed_at, attempt, skipped_at
FROM coverd.claim_deliveries($1, $2, $3)
