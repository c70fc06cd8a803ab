-- Takes a projection, a revision, buckets and the positions reached in them as columns of text, and the time.
SELECT coverd.advance_checkpoints($1, $2, $3::text[], $4::text[], $5)
