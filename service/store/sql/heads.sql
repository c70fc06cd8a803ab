-- Takes buckets, stream ids and the versions their readers know, as columns of text.
-- Gives each stream there is, with its place in the columns; its state only where the version is another.
-- OFFSET 0 keeps it a look-up for each: joined, a young table would be read through for as long as the plan is kept.
SELECT k.ordinal, s.version,
       CASE WHEN s.version <> k.known::int THEN s.state END AS state,
       CASE WHEN s.version <> k.known::int THEN s.status::text END AS status,
       CASE WHEN s.version <> k.known::int THEN s.updated_at END AS updated_at
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (bucket, stream_id, known, ordinal)
CROSS JOIN LATERAL (
  SELECT version, state, status, updated_at FROM coverd.stream
  WHERE bucket = k.bucket::int AND stream_id = k.stream_id
  OFFSET 0
) s
WHERE s.version > 0
