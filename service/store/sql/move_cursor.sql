-- Takes the bucket of a cursor's name, the name, the place and the time.
-- Moves the cursor there.
INSERT INTO coverd.cursor AS c (bucket, name, place, moved_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (bucket, name) DO UPDATE SET place = excluded.place, moved_at = excluded.moved_at
