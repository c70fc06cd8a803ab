-- Takes the bucket of a vendor's name, the name and a day (UTC).
-- Gives how many turns were taken on that day so far; nothing where none was.
SELECT taken FROM coverd.pace WHERE bucket = $1 AND name = $2 AND day = $3
