-- Takes a bucket and engagement ids.
-- Gives the fold of each that has a row.
SELECT status::text AS status, created_at, updated_at
FROM coverd.engagements_rN
WHERE bucket = $1 AND engagement_id = ANY ($2::text[])
