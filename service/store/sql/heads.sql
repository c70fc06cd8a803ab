-- Takes buckets, stream ids and the versions their readers know, as columns of text.
-- Gives each stream there is, with its place in the columns; its state only where the version is another.
SELECT k.ordinal, s.version,
       CASE WHEN s.version <> k.known::int THEN s.state END AS state,
       CASE WHEN s.version <> k.known::int THEN s.status::text END AS status,
       CASE WHEN s.version <> k.known::int THEN s.updated_at END AS updated_at
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (bucket, stream_id, known, ordinal)
JOIN coverd.stream s ON s.bucket = k.bucket::int AND s.stream_id = k.stream_id
WHERE s.version > 0
