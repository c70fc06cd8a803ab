-- Takes the time and how many to count at most.
-- Gives for each channel how many effects are due and not taken up, and since when the first of them is.
SELECT channel, count(*) AS due, min(wake_at) AS since
FROM (SELECT channel, wake_at FROM coverd.effect WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2) e
GROUP BY channel
