-- Takes as columns of text the notes to put in place of whatever is there.
INSERT INTO coverd.attention_rN (
  bucket, engagement_id, code, step, message, clears, since, first_seen, last_seen, count, cleared_at
)
SELECT r.bucket::int, r.engagement_id, r.code, r.step, r.message, r.clears, r.since::timestamptz,
       r.first_seen::timestamptz, r.last_seen::timestamptz, r.count::int, r.cleared_at::timestamptz
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]
) AS r (bucket, engagement_id, code, step, message, clears, since, first_seen, last_seen, count, cleared_at)
ON CONFLICT (bucket, engagement_id, code, step) DO UPDATE SET
  message = excluded.message,
  clears = excluded.clears,
  since = excluded.since,
  last_seen = excluded.last_seen,
  count = excluded.count,
  cleared_at = excluded.cleared_at
