-- Takes the time, how many, whether nothing is known at that time but which contracts are over, and further
-- values for the filters put in here.
-- Gives that many engagements, the newest first, each with whether it is covered at that time.
SELECT e.engagement_id, e.state,
       CASE WHEN $3::boolean
              AND NOT (e.state = 'ended' AND to_timestamp(coalesce((e.status ->> 'ended_at')::bigint, 0)) <= $1) THEN NULL
            WHEN e.periods @> $1::timestamptz THEN true WHEN e.unknown_until > $1 THEN NULL ELSE false END AS covered,
       e.client_id, e.freelancer_id, e.contractor_id, e.title,
       e.attention_count, e.attention_codes, e.version, e.created_at, e.updated_at
FROM coverd.engagements e
WHERE /* filters */ true
ORDER BY e.created_at DESC, e.engagement_id DESC
LIMIT $2
