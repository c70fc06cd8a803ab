-- Takes a freelancer's bucket and id.
-- Gives one row: what their own stream says, if it has begun, and the newest 200 engagements that name them.
SELECT f.freelancer_id IS NOT NULL AS known, f.contractor_id, f.opted_in_at,
       ARRAY(
         SELECT e.engagement_id
         FROM coverd.engagements e
         WHERE e.freelancer_id = $2
         ORDER BY e.created_at DESC, e.engagement_id DESC
         LIMIT 200
       ) AS engagement_ids
FROM (SELECT $1::int AS bucket, $2::text AS freelancer_id) asked
LEFT JOIN coverd.freelancers f ON f.bucket = asked.bucket AND f.freelancer_id = asked.freelancer_id
