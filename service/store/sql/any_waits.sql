-- Takes kinds of effects. Gives whether any of them waits or is under way.
SELECT EXISTS (SELECT FROM coverd.effect WHERE wake_at IS NOT NULL AND kind = ANY ($1))
