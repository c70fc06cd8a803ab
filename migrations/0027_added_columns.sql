-- A row of the log by the names of its columns. 0024 cast rows to the log's type by their places, so that a column
-- added to the log by a later migration would have stopped the processes that still run.
CREATE FUNCTION coverd.event_of(
  p_bucket int, p_stream_id text, p_version int, p_position bigint, p_type text, p_schema int,
  p_effective_at bigint, p_recorded_at timestamptz, p_cause text, p_correlation text, p_actor text, p_data json
) RETURNS coverd.event
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v coverd.event;
BEGIN
  v.bucket := p_bucket;
  v.stream_id := p_stream_id;
  v.version := p_version;
  v.position := p_position;
  v.type := p_type;
  v.schema := p_schema;
  v.effective_at := p_effective_at;
  v.recorded_at := p_recorded_at;
  v.cause := p_cause;
  v.correlation := p_correlation;
  v.actor := p_actor;
  v.data := p_data;
  RETURN v;
END
$$;

-- What 0024 does, with this.
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
                      c.effective_at, p_times[c.ordinality::int], c.cause, c.correlation, c.actor,
                      e.data::json) AS event
      FROM unnest(p_commands) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_record(c.events -> (k - 1)) AS e(type text, schema int, data text)
      WHERE p_befores[c.ordinality::int] IS NOT NULL AND json_array_length(c.events) >= k
    ), hashed AS MATERIALIZED (
      SELECT f.ordinality, f.event, event_hash(v_hashes[f.ordinality::int], f.event) AS hash FROM following f
    ), written AS (
      INSERT INTO event (bucket, stream_id, version, position, type, schema, effective_at, recorded_at, cause,
                         correlation, actor, data, hash)
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
