-- Takes the bodies of deliveries, one behind the other, how long after being received others may have each, and as
-- columns of text: arrivals, sources, dedupe keys, other keys (null: none), where each body ends and how long it is,
-- headers, verdicts, and when received.
-- Keeps the new ones and gives their buckets and arrivals; the others are here already: by their key, or one was
-- polled and the other came by a webhook that has the polled one's key beside its own.
WITH given AS (
  SELECT coverd.bucket_of(d.source || ':' || d.dedupe) AS bucket, d.arrival::uuid, d.source, d.dedupe,
         coverd.bucket_of(d.source || ':' || d.also) AS also_bucket, d.also, d.ends::int, d.size::int, d.headers,
         d.verdict, d.received_at::timestamptz
  FROM unnest(
    $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]
  ) AS d (arrival, source, dedupe, also, ends, size, headers, verdict, received_at)
), kept AS (
  INSERT INTO coverd.inbox (
    bucket, arrival, source, dedupe, body, headers, verdict, received_at, wake_at, attempt
  )
  SELECT bucket, arrival, source, dedupe, substr($1::bytea, ends - size + 1, size), headers::json, verdict,
         received_at, received_at + $2::interval, 1
  FROM given
  -- One value a row, and no EXISTS: that might be answered by reading the whole table once for a batch.
  WHERE (also IS NULL OR (
    SELECT i.arrival FROM coverd.inbox i
    WHERE i.bucket = given.also_bucket AND i.source = given.source AND i.dedupe = given.also
      AND i.verdict = 'polled'
  ) IS NULL)
  AND (verdict <> 'polled' OR (
    SELECT a.arrival FROM coverd.also_known a
    WHERE a.bucket = given.bucket AND a.source = given.source AND a.also = given.dedupe
  ) IS NULL)
  ORDER BY bucket, source, dedupe -- two batches that share some wait for each other in one direction only
  ON CONFLICT (bucket, source, dedupe) DO NOTHING
  RETURNING bucket, arrival
), known AS (
  INSERT INTO coverd.also_known (bucket, source, also, inbox_bucket, arrival)
  SELECT given.also_bucket, given.source, given.also, kept.bucket, kept.arrival
  FROM given
  JOIN kept ON kept.bucket = given.bucket AND kept.arrival = given.arrival
  WHERE given.also IS NOT NULL
  ORDER BY given.also_bucket, given.source, given.also
  ON CONFLICT (bucket, source, also) DO NOTHING
)
SELECT bucket, arrival FROM kept
