-- Takes a bucket and freelancer ids.
-- Gives the fold of each that has a row.
SELECT status::text AS status, created_at, updated_at
FROM coverd.freelancers_rN
WHERE bucket = $1 AND freelancer_id = ANY ($2::text[])
