-- Takes a bucket, stream id, step and generation, the holder's fence, when to wake, the error, a new key
-- (null: the old one) and how many attempts to take back.
-- Gives a row when the effect was the holder's and waits now.
UPDATE coverd.effect
SET wake_at = $6, leased_until = NULL, last_error = $7, key = coalesce($8, key), attempt = attempt - $9
WHERE bucket = $1 AND stream_id = $2 AND step = $3 AND generation = $4 AND fence = $5
  AND leased_until IS NOT NULL
RETURNING fence
