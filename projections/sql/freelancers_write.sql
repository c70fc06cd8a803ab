-- Takes as columns the rows to put in place of whatever is there.
INSERT INTO coverd.freelancers_rN (
  bucket, freelancer_id, version, contractor_id, opted_in_at, created_at, updated_at, status
)
SELECT r.bucket, r.freelancer_id, r.version, r.contractor_id, r.opted_in_at,
       r.created_at, r.updated_at, r.status::json
FROM unnest(
  $1::int[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::text[]
) AS r (bucket, freelancer_id, version, contractor_id, opted_in_at, created_at, updated_at, status)
ON CONFLICT (bucket, freelancer_id) DO UPDATE SET
  version = excluded.version,
  contractor_id = excluded.contractor_id,
  opted_in_at = excluded.opted_in_at,
  updated_at = excluded.updated_at,
  status = excluded.status
