-- Takes a projection and a revision: its checkpoints go.
DELETE FROM coverd.subscription WHERE projection = $1 AND revision = $2
