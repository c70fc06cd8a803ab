-- Takes a bucket and engagement ids.
-- Gives every note on them, cleared ones too.
SELECT engagement_id, code, step, message, clears, since, first_seen, last_seen, count, cleared_at
FROM coverd.attention_rN
WHERE bucket = $1 AND engagement_id = ANY ($2::text[])
