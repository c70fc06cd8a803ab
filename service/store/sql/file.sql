-- Takes the bucket of a SHA-256 and the SHA-256 in hex.
-- Gives the bytes.
SELECT content
FROM coverd.file
WHERE bucket = $1 AND sha256 = $2
