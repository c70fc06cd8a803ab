-- Takes the time and how many to count at most.
-- Gives one row: how many deliveries are due and not taken up, and since when the first of them is.
SELECT count(*) AS due, min(wake_at) AS since
FROM (SELECT wake_at FROM coverd.inbox WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2) i
