-- Takes a JSON list of deliveries; bodies in base64.
-- Keeps the new ones under a lease and gives their ordinals; the others are here already: by their key, or one was
-- polled and the other came by a webhook that has the polled one's key beside its own.
WITH given AS (
  SELECT * FROM json_to_recordset($1::json) AS d(
    ordinal int, bucket int, arrival uuid, source text, dedupe text, also_bucket int, also text, body text,
    headers text, verdict text, received_at timestamptz, wake_at timestamptz
  )
), kept AS (
  INSERT INTO coverd.inbox (
    bucket, arrival, source, dedupe, body, headers, verdict, received_at, wake_at, attempt
  )
  SELECT bucket, arrival, source, dedupe, decode(body, 'base64'), headers::json, verdict, received_at, wake_at, 1
  FROM given
  -- One value a row, and no EXISTS: that might be answered by reading the whole table once for a batch.
  WHERE (
    SELECT i.arrival FROM coverd.inbox i
    WHERE i.bucket = given.also_bucket AND i.source = given.source AND i.dedupe = given.also
      AND i.verdict = 'polled'
  ) IS NULL
  AND (
    SELECT a.arrival FROM coverd.also_known a
    WHERE a.bucket = given.bucket AND a.source = given.source AND a.also = given.dedupe
      AND given.verdict = 'polled'
  ) IS NULL
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
SELECT given.ordinal
FROM given
JOIN kept ON kept.bucket = given.bucket AND kept.arrival = given.arrival
