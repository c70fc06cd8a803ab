-- Takes an act (null: any), the beginning and id of the last one seen, and how many.
-- Gives that many operations, newest first.
SELECT id, act, actor, reason, asked::text AS asked, targets::text AS targets, matched, began_at, ended_at,
       result::text AS result
FROM coverd.operation
WHERE ($1::text IS NULL OR act = $1) AND (began_at, id) < ($2::timestamptz, $3::text)
ORDER BY began_at DESC, id DESC
LIMIT $4
