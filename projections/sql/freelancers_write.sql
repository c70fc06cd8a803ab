-- Takes as columns of text the rows to put in place of whatever is there.
INSERT INTO coverd.freelancers_rN (
  bucket, freelancer_id, version, contractor_id, opted_in_at, created_at, updated_at, status
)
SELECT r.bucket::int, r.freelancer_id, r.version::int, r.contractor_id, r.opted_in_at::timestamptz,
       r.created_at::timestamptz, r.updated_at::timestamptz, r.status::json
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  AS r (bucket, freelancer_id, version, contractor_id, opted_in_at, created_at, updated_at, status)
ON CONFLICT (bucket, freelancer_id) DO UPDATE SET
  version = excluded.version,
  contractor_id = excluded.contractor_id,
  opted_in_at = excluded.opted_in_at,
  updated_at = excluded.updated_at,
  status = excluded.status
