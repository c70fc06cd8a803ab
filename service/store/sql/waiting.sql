-- Takes a JSON list of ids (bucket, kind, id), a delivery's bucket and its arrival.
-- Notes that the delivery waits for each of them.
INSERT INTO coverd.waiting (bucket, kind, id, inbox_bucket, arrival)
SELECT i.bucket, i.kind, i.id, $2, $3
FROM json_to_recordset($1::json) AS i(bucket int, kind text, id text)
ORDER BY i.bucket, i.kind, i.id
ON CONFLICT DO NOTHING
