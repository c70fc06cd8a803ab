-- Takes the buckets of "kind:id", the kinds and the ids as columns of text.
-- Gives the streams that each leads to, with its place in the columns.
SELECT k.ordinal, v.stream_id
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (bucket, kind, id, ordinal)
CROSS JOIN LATERAL (
  SELECT stream_id FROM coverd.vendor_id
  WHERE bucket = k.bucket::int AND kind = k.kind AND id = k.id
  OFFSET 0 -- a look-up for each, however few rows the table had when the plan was made
) v
ORDER BY k.ordinal, v.stream_id
