-- Takes a projection, a revision, buckets and the positions reached in them as columns of text, and the time.
UPDATE coverd.subscription s
SET position = r.position::bigint, advanced_at = $5
FROM unnest($3::text[], $4::text[]) AS r (bucket, position)
WHERE s.bucket = r.bucket::int AND s.projection = $1 AND s.revision = $2
