-- Holds off whoever would write a table of revision N, until the transaction ends.
LOCK TABLE coverd.any_table_rN IN SHARE MODE
