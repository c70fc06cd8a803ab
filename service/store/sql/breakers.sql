-- Gives every operation that failed since it last succeeded.
SELECT vendor, operation, failures, since, failed_at, error, opened_at, openings, until
FROM coverd.breaker
WHERE failures > 0
ORDER BY vendor, operation
