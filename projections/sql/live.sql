-- Takes a projection.
-- Gives the revision that serves.
SELECT live FROM coverd.projection WHERE name = $1
