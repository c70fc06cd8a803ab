-- Takes the bucket of a vendor, the vendor and an operation. Gives its row, locked.
SELECT vendor, operation, failures, since, failed_at, error, opened_at, openings, until
FROM coverd.breaker
WHERE bucket = $1 AND vendor = $2 AND operation = $3
FOR UPDATE
