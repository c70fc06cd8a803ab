-- Takes the bucket of a vendor, the vendor, act, actor, reason, cause, time and operation.
-- Keeps the act under the next number and gives that; nothing where the cause, or at this moment the number, is
-- taken.
INSERT INTO coverd.vendor_act (bucket, vendor, number, act, actor, reason, cause, acted_at, operation)
SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8
FROM coverd.vendor_act
WHERE bucket = $1 AND vendor = $2
ON CONFLICT DO NOTHING
RETURNING number
