-- Takes the bucket of a vendor, the vendor, and how many.
-- Gives its latest acts, the newest first.
SELECT vendor, number, act, actor, reason, acted_at AS at, operation
FROM coverd.vendor_act
WHERE bucket = $1 AND vendor = $2
ORDER BY number DESC
LIMIT $3
