-- Takes kinds of effects and the time. All of them that wait for a later one are due now.
UPDATE coverd.effect
SET wake_at = $2
WHERE wake_at > $2 AND leased_until IS NULL AND kind = ANY ($1)
