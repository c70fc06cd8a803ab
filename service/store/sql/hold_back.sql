-- Takes kinds of effects, the time, and a later one. What is due of them waits until then.
UPDATE coverd.effect
SET wake_at = $3
WHERE wake_at <= $2 AND leased_until IS NULL AND kind = ANY ($1)
