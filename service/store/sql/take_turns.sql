-- Takes the bucket of a vendor's name, the name, how many turns are wanted, the time (null: the database's own,
-- the only one that all processes share), and spacing, interval, slack and horizon in seconds.
-- Gives the turns, in seconds from that time.
SELECT turn
FROM coverd.take_turns(
  $1, $2, $3, coalesce($4, clock_timestamp()), $5::float8, $6::float8, $7::float8, $8::float8
) AS turn
