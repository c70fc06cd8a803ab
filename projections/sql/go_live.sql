-- Takes a projection and the revision that serves from now on: runners work on this one.
UPDATE coverd.projection SET live = $2 WHERE name = $1
