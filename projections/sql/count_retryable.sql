-- Takes codes that no retry moves, and further values for the filters put in here.
-- Gives one row: how many other things wait, and on how many engagements.
SELECT count(*) AS items, count(DISTINCT (bucket, engagement_id)) AS engagements
FROM coverd.attention
WHERE cleared_at IS NULL AND code <> ALL ($1::text[]) AND /* filters */ true
