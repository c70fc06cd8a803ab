-- Takes the live states, a place (when an engagement was begun, and its id) and how many.
-- Gives that many engagements in these states behind the place, oldest first: a look into the index of each state.
SELECT l.created_at, l.engagement_id
FROM unnest($1::text[]) AS s(state)
CROSS JOIN LATERAL (
  SELECT e.created_at, e.engagement_id
  FROM coverd.engagements e
  WHERE e.state = s.state AND (e.created_at, e.engagement_id) > ($2::timestamptz, $3::text)
  ORDER BY e.created_at, e.engagement_id
  LIMIT $4
) l
ORDER BY l.created_at, l.engagement_id
LIMIT $4
