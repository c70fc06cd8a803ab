-- Takes the buckets of "kind:id" and the kinds as columns of text, and the id.
-- Gives the streams it leads to, those of the first kind first.
SELECT v.stream_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (bucket, kind, place)
JOIN coverd.vendor_id v ON v.bucket = k.bucket::int AND v.kind = k.kind AND v.id = $3
ORDER BY k.place, v.stream_id
