-- Takes samples of a table of revision N, for the planner.
ANALYZE coverd.any_table_rN
