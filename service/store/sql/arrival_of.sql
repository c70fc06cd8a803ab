-- Takes the bucket of "source:dedupe", the source and the dedupe key.
-- Gives the arrival of the delivery that came first.
SELECT arrival
FROM coverd.inbox
WHERE bucket = $1 AND source = $2 AND dedupe = $3
