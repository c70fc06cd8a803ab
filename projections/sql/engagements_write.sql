-- Takes as columns of text the rows to put in place of whatever is there.
INSERT INTO coverd.engagements_rN AS kept (
  bucket, engagement_id, version, state, client_id, freelancer_id, contractor_id, title,
  periods, unknown_until, attention_codes, attention_count, created_at, updated_at, status
)
SELECT r.bucket::int, r.engagement_id, r.version::int, r.state, r.client_id, r.freelancer_id, r.contractor_id, r.title,
       r.periods::tstzmultirange, r.unknown_until::timestamptz, r.attention_codes::text[],
       r.attention_count::int, r.created_at::timestamptz, r.updated_at::timestamptz, r.status::json
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]
) AS r (
  bucket, engagement_id, version, state, client_id, freelancer_id, contractor_id, title,
  periods, unknown_until, attention_codes, attention_count, created_at, updated_at, status
)
ON CONFLICT (bucket, engagement_id) DO UPDATE SET
  version = excluded.version,
  state = excluded.state,
  client_id = excluded.client_id,
  freelancer_id = excluded.freelancer_id,
  contractor_id = excluded.contractor_id,
  title = excluded.title,
  periods = excluded.periods,
  unknown_until = excluded.unknown_until,
  attention_codes = excluded.attention_codes,
  attention_count = excluded.attention_count,
  updated_at = excluded.updated_at,
  status = excluded.status
