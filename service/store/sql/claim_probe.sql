-- Takes kinds of effects, the time, and the end of the lease.
-- Leases the one that was tried least and gives it.
SELECT stream_id, step, generation, channel, kind, payload::text AS payload, key, attempt, fence,
       correlation, created_at
FROM coverd.claim_probe($1::text[], $2, $3)
