-- Takes buckets and engagement ids as columns of text.
-- Gives the fold of each that has a row.
SELECT e.status::text AS status, e.created_at, e.updated_at
FROM unnest($1::text[], $2::text[]) AS k (bucket, engagement_id)
JOIN coverd.engagements_rN e ON e.bucket = k.bucket::int AND e.engagement_id = k.engagement_id
