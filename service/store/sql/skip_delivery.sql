-- Takes a bucket, an arrival and the time.
-- Leaves a delivery that a person must look at as it is, to be tried no more; gives a row when it was one.
UPDATE coverd.inbox
SET wake_at = NULL, skipped_at = coalesce(skipped_at, $3)
WHERE bucket = $1 AND arrival = $2 AND outcome IN ('unknown_type', 'unusable', 'parked', 'failed')
RETURNING arrival
