-- Takes nothing.
-- Gives the last position of each bucket that has any.
SELECT bucket, position
FROM coverd.bucket_head
WHERE position > 0
ORDER BY bucket
