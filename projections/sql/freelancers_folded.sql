-- Takes buckets and freelancer ids as columns of text.
-- Gives the fold of each that has a row.
SELECT f.status::text AS status, f.created_at, f.updated_at
FROM unnest($1::text[], $2::text[]) AS k (bucket, freelancer_id)
JOIN coverd.freelancers_rN f ON f.bucket = k.bucket::int AND f.freelancer_id = k.freelancer_id
