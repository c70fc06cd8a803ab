-- Takes the bucket of a SHA-256, the SHA-256 in hex, the bytes and the time.
-- Keeps them once.
INSERT INTO coverd.file (bucket, sha256, content, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (bucket, sha256) DO NOTHING
