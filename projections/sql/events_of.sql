-- Takes buckets, and in each the position to begin behind and the last one wanted, as columns of text.
-- Gives their events, bucket after bucket and in order; the bucket stands last.
SELECT e.stream_id, e.version, e.position, e.type, e.recorded_at, e.effective_at, e.data, e.bucket
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (bucket, after, last, place)
CROSS JOIN LATERAL (
  SELECT stream_id, version, position, type, recorded_at, effective_at, data::text AS data, bucket
  FROM coverd.event
  WHERE bucket = k.bucket::int AND position > k.after::bigint AND position <= k.last::bigint
) e
ORDER BY k.place, e.position
