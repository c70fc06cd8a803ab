-- Takes a projection.
-- Gives the events that an operator took out of it.
SELECT bucket, position FROM coverd.skipped_event WHERE projection = $1
