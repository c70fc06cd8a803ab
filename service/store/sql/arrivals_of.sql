-- Takes as columns of text: sources, dedupe keys, and the other keys the deliveries are also known by (null: none).
-- Gives the bucket and the arrival of the one that came first, for each place in the columns.
WITH given AS (
  SELECT k.ordinal, k.source, k.dedupe, coverd.bucket_of(k.source || ':' || k.dedupe) AS bucket,
         k.also, coverd.bucket_of(k.source || ':' || k.also) AS also_bucket
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (source, dedupe, also, ordinal)
)
SELECT given.ordinal, first.bucket, first.arrival
FROM given
CROSS JOIN LATERAL (
  SELECT i.bucket, i.arrival
  FROM coverd.inbox i
  WHERE i.bucket = given.bucket AND i.source = given.source AND i.dedupe = given.dedupe
  UNION ALL
  SELECT a.inbox_bucket, a.arrival
  FROM coverd.also_known a
  WHERE a.bucket = given.bucket AND a.source = given.source AND a.also = given.dedupe
  UNION ALL
  SELECT i.bucket, i.arrival
  FROM coverd.inbox i
  WHERE i.bucket = given.also_bucket AND i.source = given.source AND i.dedupe = given.also
  LIMIT 1
) first
