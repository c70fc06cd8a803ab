-- Takes a bucket, stream id, step and generation, the holder's fence, the result and the time.
-- Gives a row when the effect was the holder's and is done now.
UPDATE coverd.effect
SET wake_at = NULL, leased_until = NULL, done_at = $7, result = $6
WHERE bucket = $1 AND stream_id = $2 AND step = $3 AND generation = $4 AND fence = $5
  AND leased_until IS NOT NULL
RETURNING fence
