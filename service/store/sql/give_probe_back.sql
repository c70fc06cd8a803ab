-- Takes the bucket of a vendor, the vendor, an operation and the time: it may be tried from then on.
UPDATE coverd.breaker SET until = $4 WHERE bucket = $1 AND vendor = $2 AND operation = $3 AND until > $4
