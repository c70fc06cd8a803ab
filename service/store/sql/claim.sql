-- Takes how many, the time, the end of the lease, channels (null: all), and kinds to leave alone.
-- Leases that many due effects and gives them.
SELECT stream_id, step, generation, channel, kind, payload::text AS payload, key, attempt, fence,
       correlation, created_at
FROM coverd.claim_effects($1, $2, $3, $4::text[], $5::text[])
