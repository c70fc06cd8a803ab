-- Takes a bucket.
-- Gives how many rows it has in a table's revisions O and N, and how many in one alone, by their content's hash.
WITH old AS (
  SELECT md5(t::text) AS content FROM coverd.any_table_rO t WHERE t.bucket = $1
), new AS (
  SELECT md5(t::text) AS content FROM coverd.any_table_rN t WHERE t.bucket = $1
)
SELECT (SELECT count(*) FROM old) AS old,
       (SELECT count(*) FROM new) AS new,
       (SELECT count(*) FROM (SELECT content FROM old EXCEPT ALL SELECT content FROM new) lost) AS only_old,
       (SELECT count(*) FROM (SELECT content FROM new EXCEPT ALL SELECT content FROM old) found) AS only_new
