-- Takes a bucket and a stream id.
-- Gives the stream's effects, oldest first.
SELECT stream_id, step, generation, channel, kind, attempt, wake_at, leased_until, parked_at, done_at,
       result, last_error, created_at
FROM coverd.effect
WHERE bucket = $1 AND stream_id = $2
ORDER BY created_at, step, generation
