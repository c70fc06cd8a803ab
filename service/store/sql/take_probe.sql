-- Takes the bucket of a vendor, the vendor, an operation, the time, and until when others keep away.
-- Gives a row when the operation is closed, due to be tried, and the trying is theirs.
UPDATE coverd.breaker
SET until = $5
WHERE bucket = $1 AND vendor = $2 AND operation = $3 AND until <= $4
RETURNING operation
