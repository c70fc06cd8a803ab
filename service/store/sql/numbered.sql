-- Takes a bucket.
-- Gives the last position given out in it.
SELECT position FROM coverd.bucket_head WHERE bucket = $1
