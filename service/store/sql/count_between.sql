-- Takes what deliveries_between.sql takes, but for how many.
-- Gives how many there are.
SELECT count(*)
FROM coverd.inbox
WHERE ($1::text IS NULL OR source = $1)
  AND ($2::text IS NULL OR outcome = $2)
  AND arrival > $3 AND arrival < $4
