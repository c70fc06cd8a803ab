-- Removes a table of revision N.
DROP TABLE coverd.any_table_rN
