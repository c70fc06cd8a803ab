-- Takes the bucket of a vendor's name, the name, how many turns are wanted, the time (null: the database's own,
-- the only one that all processes share), spacing, interval, slack and horizon in seconds, and how many turns a day
-- has (null: any number).
-- Gives the turns, in seconds from that time.
SELECT turn
FROM coverd.take_turns(
  $1, $2, $3, coalesce($4, clock_timestamp()), $5::float8, $6::float8, $7::float8, $8::float8, $9::int
) AS turn
