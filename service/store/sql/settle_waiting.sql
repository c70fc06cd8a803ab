-- Takes what settle_delivery.sql takes, and a JSON list of ids (bucket, kind, id).
-- Records what became of the delivery, and that it waits for each of them.
WITH settled AS (
  UPDATE coverd.inbox
  SET outcome = $3, type = $4, detail = $5, streams = $6::text[], wake_at = $7, processed_at = $8,
      parked_at = CASE WHEN $3 = 'parked' THEN coalesce(parked_at, $8) END
  WHERE bucket = $1 AND arrival = $2
)
INSERT INTO coverd.waiting (bucket, kind, id, inbox_bucket, arrival)
SELECT i.bucket, i.kind, i.id, $1, $2
FROM json_to_recordset($9::json) AS i(bucket int, kind text, id text)
ORDER BY i.bucket, i.kind, i.id
ON CONFLICT DO NOTHING
