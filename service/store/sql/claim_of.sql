-- Takes a bucket, a stream id, the time and the end of the lease.
-- Leases the stream's due effects and gives them.
SELECT stream_id, step, generation, channel, kind, payload::text AS payload, key, attempt, fence,
       correlation, created_at
FROM coverd.claim_effects_of($1, $2, $3, $4)
