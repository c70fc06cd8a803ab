-- Takes the bucket of a vendor, the vendor, an operation and the time: a row that failed nothing yet.
INSERT INTO coverd.breaker VALUES ($1, $2, $3, 0, $4, $4, '', NULL, 0, NULL) ON CONFLICT DO NOTHING
