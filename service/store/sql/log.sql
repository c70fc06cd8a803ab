-- Takes a first and a last bucket.
-- Gives all their events, bucket after bucket and in order.
SELECT bucket, stream_id, version, position, type, schema, effective_at, recorded_at,
       cause, correlation, actor, data::text AS data, hash
FROM coverd.event
WHERE bucket BETWEEN $1 AND $2
ORDER BY bucket, position
