-- Takes sources, and the arrival from which on to look.
-- Gives when the last webhook of each source was received; none where the source was only asked.
SELECT s.source, l.received_at
FROM unnest($1::text[]) AS s(source)
CROSS JOIN LATERAL (
  SELECT i.received_at FROM coverd.inbox i
  WHERE i.source = s.source AND i.verdict <> 'polled' AND i.arrival > $2
  ORDER BY i.arrival DESC
  LIMIT 1
) l
