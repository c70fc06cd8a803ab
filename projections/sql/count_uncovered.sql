-- Takes the live states, the time, and whether nothing is known at that time.
-- Gives one row: on how many active contracts nothing covers at that time, and of how many nobody knows.
SELECT count(*) FILTER (WHERE NOT u.unknown) AS uncovered, count(*) FILTER (WHERE u.unknown) AS unknown
FROM (
  SELECT $3::boolean OR (e.unknown_until > $2) IS TRUE AS unknown
  FROM coverd.engagements e
  WHERE e.state = ANY ($1::text[])
    AND ($3 OR NOT e.periods @> $2::timestamptz)
    AND e.status ->> 'active' = 'true'
) u
