-- Gives the latest act of each operation of each vendor, where that is a pause.
SELECT vendor, number, act, actor, reason, at, operation
FROM (
  SELECT DISTINCT ON (bucket, vendor, operation) vendor, number, act, actor, reason, acted_at AS at, operation
  FROM coverd.vendor_act
  ORDER BY bucket, vendor, operation, number DESC
) latest
WHERE act = 'pause'
ORDER BY vendor, operation
