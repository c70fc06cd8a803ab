-- Takes the bucket of "kind:id", the kind and the id.
-- Gives the streams it leads to.
SELECT stream_id
FROM coverd.vendor_id
WHERE bucket = $1 AND kind = $2 AND id = $3
ORDER BY stream_id
