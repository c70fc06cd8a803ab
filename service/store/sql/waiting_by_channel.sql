-- Gives how many effects wait or are under way, by channel.
SELECT channel, count(*) AS waiting FROM coverd.effect WHERE wake_at IS NOT NULL GROUP BY channel
