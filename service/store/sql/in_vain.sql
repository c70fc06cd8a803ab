-- Gives for each kind of effect on a channel how many wait or are under way though they were tried twelve times, and
-- of the oldest of them since when it is wanted, of which stream it is, and what came of it last.
SELECT DISTINCT ON (channel, kind)
  channel AS vendor, kind AS operation, count(*) OVER (PARTITION BY channel, kind) AS count, created_at AS since,
  stream_id, coalesce(last_error, '') AS error
FROM coverd.effect
WHERE wake_at IS NOT NULL AND attempt >= 12
ORDER BY channel, kind, created_at
