-- Takes the bucket of a source's name, the name, the time and when to ask it first.
-- Begins to listen to it; nothing changes where that has begun before.
INSERT INTO coverd.source (bucket, name, since, due_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (bucket, name) DO NOTHING
