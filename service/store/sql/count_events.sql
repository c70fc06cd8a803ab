-- Takes a bucket.
-- Gives where its numbering stands, how many events it holds, and the last position among them.
SELECT h.position,
       count(e.position) AS events,
       coalesce(max(e.position), 0) AS last
FROM coverd.bucket_head h
LEFT JOIN coverd.event e ON e.bucket = h.bucket
WHERE h.bucket = $1
GROUP BY h.position
