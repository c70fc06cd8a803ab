-- Takes a bucket and an arrival, the outcome, type, detail, streams, when to look again (null: never), the time.
-- Records what became of the delivery; since when it is parked is kept while it stays so.
UPDATE coverd.inbox
SET outcome = $3, type = $4, detail = $5, streams = $6::text[], wake_at = $7, processed_at = $8,
    parked_at = CASE WHEN $3 = 'parked' THEN coalesce(parked_at, $8) END
WHERE bucket = $1 AND arrival = $2
