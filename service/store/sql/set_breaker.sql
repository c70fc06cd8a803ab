-- Takes the bucket of a vendor, the vendor, an operation, and everything that is to stand there.
UPDATE coverd.breaker
SET failures = $4, since = $5, failed_at = $6, error = $7, opened_at = $8, openings = $9, until = $10
WHERE bucket = $1 AND vendor = $2 AND operation = $3
