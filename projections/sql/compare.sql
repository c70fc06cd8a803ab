-- Takes buckets. The columns of the table's key stand for any_key.
-- Gives how many rows they have in a table's revisions O and N, and how many of each are not found to the byte in the other.
SELECT count(o.bucket) AS old,
       count(n.bucket) AS new,
       count(*) FILTER (WHERE o.bucket IS NOT NULL AND (n.bucket IS NULL OR o *<> n)) AS only_old,
       count(*) FILTER (WHERE n.bucket IS NOT NULL AND (o.bucket IS NULL OR o *<> n)) AS only_new
FROM (SELECT * FROM coverd.any_table_rO WHERE bucket = ANY($1::int[])) o
FULL JOIN (SELECT * FROM coverd.any_table_rN WHERE bucket = ANY($1::int[])) n USING (bucket, any_key)
