-- Takes a code (null: any) and how many.
-- Gives one row for each cause under which something waits, the most frequent first. Calls that were given up have one
-- cause where the vendor's words differ in nothing but ids.
SELECT code, nullif(split_part(step, ':', 1), '') AS step,
       CASE WHEN code <> 'effect_parked' THEN message
            ELSE regexp_replace(
                   message,
                   '\m(?:[A-Za-z]{1,8}_(?=[A-Za-z0-9]*[A-Z0-9])[A-Za-z0-9]{3,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{5,}|[0-9a-f]{16,})\M',
                   '…', 'g')
       END AS cause,
       min(clears) AS clears, count(*) AS count, count(DISTINCT (bucket, engagement_id)) AS engagements,
       min(first_seen) AS first_seen, max(last_seen) AS last_seen,
       (array_agg(engagement_id ORDER BY since, last_seen, engagement_id))[1] AS longest
FROM coverd.attention
WHERE cleared_at IS NULL AND ($1::text IS NULL OR code = $1)
GROUP BY 1, 2, 3
ORDER BY count DESC, code, step, cause
LIMIT $2
