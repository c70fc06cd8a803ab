-- A column that a later migration adds to the log must not break the version that runs: appends (0024) make their events
-- field by field again, as 0009 does, and not as a row of so many fields.
CREATE FUNCTION coverd.event_of(
  p_bucket int, p_stream_id text, p_version int, p_position bigint, p_type text, p_schema int, p_effective_at bigint,
  p_recorded_at timestamptz, p_cause text, p_correlation text, p_actor text, p_data json
) RETURNS coverd.event
LANGUAGE plpgsql STABLE SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_event event;
BEGIN
  v_event.bucket := p_bucket;
  v_event.stream_id := p_stream_id;
  v_event.version := p_version;
  v_event.position := p_position;
  v_event.type := p_type;
  v_event.schema := p_schema;
  v_event.effective_at := p_effective_at;
  v_event.recorded_at := p_recorded_at;
  v_event.cause := p_cause;
  v_event.correlation := p_correlation;
  v_event.actor := p_actor;
  v_event.data := p_data;
  RETURN v_event;
END
$$;

-- As before (0024), but for `event_of`.
CREATE OR REPLACE FUNCTION coverd.write_events_together(
  p_commands coverd.appending[], p_hashes bytea[], p_befores bigint[], p_times timestamptz[]
) RETURNS bytea[]
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_most   int;
  v_hashes bytea[] := p_hashes;
BEGIN
  SELECT max(json_array_length(c.events)) INTO v_most
  FROM unnest(p_commands) WITH ORDINALITY c
  WHERE p_befores[c.ordinality::int] IS NOT NULL;

  FOR k IN 1 .. coalesce(v_most, 0) LOOP
    WITH following AS MATERIALIZED (
      SELECT c.ordinality,
             event_of(c.bucket, c.stream_id, c.expected + k, p_befores[c.ordinality::int] + k, e.type, e.schema,
                      c.effective_at, p_times[c.ordinality::int], c.cause, c.correlation, c.actor, e.data::json
             ) AS event
      FROM unnest(p_commands) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_record(c.events -> (k - 1)) AS e(type text, schema int, data text)
      WHERE p_befores[c.ordinality::int] IS NOT NULL AND json_array_length(c.events) >= k
    ), hashed AS MATERIALIZED (
      SELECT f.ordinality, f.event, event_hash(v_hashes[f.ordinality::int], f.event) AS hash FROM following f
    ), written AS (
      INSERT INTO event
      SELECT (h.event).bucket, (h.event).stream_id, (h.event).version, (h.event).position, (h.event).type,
             (h.event).schema, (h.event).effective_at, (h.event).recorded_at, (h.event).cause,
             (h.event).correlation, (h.event).actor, (h.event).data, h.hash
      FROM hashed h
    )
    SELECT array_agg(coalesce(h.hash, v_hashes[n.n]) ORDER BY n.n) INTO v_hashes
    FROM generate_subscripts(v_hashes, 1) n(n)
    LEFT JOIN hashed h ON h.ordinality = n.n;
  END LOOP;
  RETURN v_hashes;
END
$$;
