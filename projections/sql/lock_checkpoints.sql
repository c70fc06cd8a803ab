-- Takes a projection, a revision and buckets as a column of text.
-- Gives the position reached in each and locks it; none that another runner holds, that is stopped or gone.
SELECT o_bucket AS bucket, o_position AS position FROM coverd.lock_checkpoints($1, $2, $3)
