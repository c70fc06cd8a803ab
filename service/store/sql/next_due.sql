-- Takes nothing.
-- Gives when the next waiting effect is due.
SELECT min(wake_at)
FROM coverd.effect
WHERE wake_at IS NOT NULL
