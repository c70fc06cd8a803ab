-- Takes a projection.
-- Gives the revisions it has that don't serve.
SELECT DISTINCT s.revision
FROM coverd.subscription s
JOIN coverd.projection p ON p.name = s.projection
WHERE s.projection = $1 AND s.revision <> p.live
ORDER BY s.revision
