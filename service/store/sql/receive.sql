-- Takes a JSON list of deliveries; bodies in base64.
-- Keeps the new ones under a lease and gives their ordinals; the others are here already.
WITH given AS (
  SELECT * FROM json_to_recordset($1::json) AS d(
    ordinal int, bucket int, arrival uuid, source text, dedupe text, body text, headers text, verdict text,
    received_at timestamptz, wake_at timestamptz
  )
), kept AS (
  INSERT INTO coverd.inbox (
    bucket, arrival, source, dedupe, body, headers, verdict, received_at, wake_at, attempt
  )
  SELECT bucket, arrival, source, dedupe, decode(body, 'base64'), headers::json, verdict, received_at, wake_at, 1
  FROM given
  ORDER BY bucket, source, dedupe -- two batches that share some wait for each other in one direction only
  ON CONFLICT (bucket, source, dedupe) DO NOTHING
  RETURNING bucket, arrival
)
SELECT given.ordinal
FROM given
JOIN kept ON kept.bucket = given.bucket AND kept.arrival = given.arrival
