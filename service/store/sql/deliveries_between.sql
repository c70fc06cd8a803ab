-- Takes a source and an outcome (each null: any), the arrivals between which to look (the first excluded), and how many.
-- Gives that many deliveries, oldest first.
SELECT bucket, arrival
FROM coverd.inbox
WHERE ($1::text IS NULL OR source = $1)
  AND ($2::text IS NULL OR outcome = $2)
  AND arrival > $3 AND arrival < $4
ORDER BY arrival
LIMIT $5
