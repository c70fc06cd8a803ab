-- Takes a bucket, a projection and a position.
-- Gives the positions after it that an operator took out.
SELECT position
FROM coverd.skipped_event
WHERE bucket = $1 AND projection = $2 AND position > $3
