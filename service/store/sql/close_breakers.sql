-- Takes the bucket of a vendor, the vendor, and operations (null: all).
-- Forgets their failures; gives those that were open.
DELETE FROM coverd.breaker
WHERE bucket = $1 AND vendor = $2 AND ($3::text[] IS NULL OR operation = ANY ($3::text[]))
RETURNING operation, opened_at IS NOT NULL AS was_open
