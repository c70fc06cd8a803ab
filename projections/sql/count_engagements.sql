-- Takes the time, and whether nothing is known at that time but which contracts are over.
-- Gives one row: how many engagements are covered at that time, are known not to be (those over among them),
-- or nobody knows of; how many of the uncovered ones are over; and how many wait for a person.
SELECT count(*) FILTER (WHERE e.covered) AS covered,
       count(*) FILTER (WHERE NOT e.covered) AS not_covered,
       count(*) FILTER (WHERE e.covered IS NULL) AS unknown,
       count(*) FILTER (WHERE e.attention_count > 0) AS attention,
       count(*) FILTER (WHERE NOT e.covered AND e.state = 'ended') AS ended
FROM (
  SELECT CASE WHEN $2::boolean
                AND NOT (state = 'ended' AND to_timestamp(coalesce((status ->> 'ended_at')::bigint, 0)) <= $1) THEN NULL
              WHEN periods @> $1::timestamptz THEN true WHEN unknown_until > $1 THEN NULL ELSE false END AS covered,
         attention_count, state
  FROM coverd.engagements
) e
