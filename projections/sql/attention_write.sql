-- Takes as columns the notes to put in place of whatever is there.
INSERT INTO coverd.attention_rN (
  bucket, engagement_id, code, step, message, clears, since, first_seen, last_seen, count, cleared_at
)
SELECT r.bucket, r.engagement_id, r.code, r.step, r.message, r.clears, r.since,
       r.first_seen, r.last_seen, r.count, r.cleared_at
FROM unnest(
  $1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::int[], $11::timestamptz[]
) AS r (bucket, engagement_id, code, step, message, clears, since, first_seen, last_seen, count, cleared_at)
ON CONFLICT (bucket, engagement_id, code, step) DO UPDATE SET
  message = excluded.message,
  clears = excluded.clears,
  since = excluded.since,
  last_seen = excluded.last_seen,
  count = excluded.count,
  cleared_at = excluded.cleared_at
