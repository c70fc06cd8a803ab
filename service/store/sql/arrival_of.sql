-- Takes the bucket of "source:dedupe", the source and the dedupe key; and the bucket and the other key that the
-- delivery is also known by, if any.
-- Gives the bucket and the arrival of the delivery that came first.
SELECT bucket, arrival
FROM coverd.inbox
WHERE bucket = $1 AND source = $2 AND dedupe = $3
UNION ALL
SELECT inbox_bucket, arrival
FROM coverd.also_known
WHERE bucket = $1 AND source = $2 AND also = $3
UNION ALL
SELECT bucket, arrival
FROM coverd.inbox
WHERE bucket = $4 AND source = $2 AND dedupe = $5
LIMIT 1
