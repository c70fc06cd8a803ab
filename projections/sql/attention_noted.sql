-- Takes buckets and engagement ids as columns of text.
-- Gives every note on them, cleared ones too.
SELECT a.engagement_id, a.code, a.step, a.message, a.clears, a.since, a.first_seen, a.last_seen, a.count, a.cleared_at
FROM unnest($1::text[], $2::text[]) AS k (bucket, engagement_id)
JOIN coverd.attention_rN a ON a.bucket = k.bucket::int AND a.engagement_id = k.engagement_id
