-- Takes as columns, periods and attention_codes as text, the rows to put in place of whatever is there.
INSERT INTO coverd.engagements_rN AS kept (
  bucket, engagement_id, version, state, client_id, freelancer_id, contractor_id, title,
  periods, unknown_until, attention_codes, attention_count, created_at, updated_at, status
)
SELECT r.bucket, r.engagement_id, r.version, r.state, r.client_id, r.freelancer_id, r.contractor_id, r.title,
       r.periods::tstzmultirange, r.unknown_until, r.attention_codes::text[],
       r.attention_count, r.created_at, r.updated_at, r.status::json
FROM unnest(
  $1::int[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::timestamptz[], $11::text[], $12::int[], $13::timestamptz[], $14::timestamptz[], $15::text[]
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
