-- Takes nothing.
-- Gives a row when the schema is there and may be used.
SELECT position
FROM coverd.bucket_head
WHERE bucket = 0
