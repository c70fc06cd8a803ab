-- Gives the indexes that a table of revision N has besides its key, each with the statement that makes it.
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = 'coverd.any_table_rN'::regclass AND NOT indisprimary
