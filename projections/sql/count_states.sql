-- Gives how many engagements are in each state.
SELECT state, count(*) AS count
FROM coverd.engagements
GROUP BY state
