-- Takes a bucket, an arrival and the time.
-- Makes the delivery due, as if never tried and never skipped; gives a row when there is one.
UPDATE coverd.inbox
SET wake_at = $3, attempt = 0, skipped_at = NULL
WHERE bucket = $1 AND arrival = $2
RETURNING arrival
