-- Lets revision N serve: readers know the table by its view.
CREATE OR REPLACE VIEW coverd.any_table AS SELECT * FROM coverd.any_table_rN
