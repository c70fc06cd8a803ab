-- Takes a bucket, a stream id, the time, the end of the lease, and kinds to leave alone.
-- Leases what the stream has due and gives it.
SELECT stream_id, step, generation, channel, kind, payload::text AS payload, key, attempt, fence,
       correlation, created_at
FROM coverd.claim_effects_of($1, $2, $3, $4, $5::text[])
