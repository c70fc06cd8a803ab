-- The only way into the log, for many commands at once: what 0009 does for one command after the other is done here
-- in one statement for all of them, so that a command among others costs a fraction of one alone. The locks and
-- their order are the same: stream heads by key, effects of those streams, bucket heads by number. Besides, an
-- effect may be born leased, for the process that asks for it and has hands free; and a delivery that led to the
-- command is settled with it. The functions of 0009 stay for processes of the version before.

-- One command as it comes over the wire; what must keep its bytes comes as text. `take_for` is how many seconds the
-- effects marked `take` are leased to the writer.
CREATE TYPE coverd.appending AS (
  ordinal int, bucket int, stream_id text, expected int, cause text, correlation text, actor text,
  effective_at bigint, events json, state text, status text, effects json, lookups json, settles json,
  delivery json, take_for float8
);

-- Numbers the events of commands: how many each has (null: none) and in which bucket. Bucket heads are locked in
-- order, for many streams share them, and held until commit, so that whoever numbers next commits later; and the
-- time never steps back within a bucket. Gives the position before each command's first event, and its time.
CREATE FUNCTION coverd.number_together(
  p_buckets int[], p_counts int[], p_now timestamptz, OUT o_befores bigint[], OUT o_times timestamptz[]
)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_buckets int[];
BEGIN
  SELECT array_agg(DISTINCT g.bucket) INTO v_buckets
  FROM unnest(p_buckets, p_counts) AS g(bucket, events)
  WHERE g.events IS NOT NULL;

  PERFORM FROM bucket_head h WHERE h.bucket = ANY (v_buckets) ORDER BY h.bucket FOR UPDATE;

  WITH given AS (
    SELECT g.place, g.bucket, g.events
    FROM unnest(p_buckets, p_counts) WITH ORDINALITY AS g(bucket, events, place)
    WHERE g.events IS NOT NULL
  ), moved AS (
    UPDATE bucket_head h
    SET position = h.position + g.events, recorded_at = greatest(h.recorded_at, p_now)
    FROM (SELECT given.bucket, sum(given.events) AS events FROM given GROUP BY given.bucket) g
    WHERE h.bucket = g.bucket
    RETURNING h.bucket, h.position - g.events AS before, h.recorded_at
  ), numbered AS (
    SELECT g.place, m.recorded_at,
           m.before + sum(g.events) OVER (PARTITION BY g.bucket ORDER BY g.place) - g.events AS before
    FROM given g
    JOIN moved m ON m.bucket = g.bucket
  )
  SELECT array_agg(d.before ORDER BY n.n), array_agg(d.recorded_at ORDER BY n.n) INTO o_befores, o_times
  FROM generate_subscripts(p_buckets, 1) n(n)
  LEFT JOIN numbered d ON d.place = n.n;
END
$$;

-- The last hash of each command's stream after its events, the first of each command first, then the second, and so
-- on: a hash covers the one before. `p_hashes`, `p_befores` and `p_times` stand at the places of their commands.
CREATE FUNCTION coverd.write_events_together(
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
    WITH following AS (
      SELECT c.ordinality,
             ROW(c.bucket, c.stream_id, c.expected + k, p_befores[c.ordinality::int] + k, e.type, e.schema,
                 c.effective_at, p_times[c.ordinality::int], c.cause, c.correlation, c.actor, e.data::json,
                 NULL::bytea)::event AS event
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

-- Takes a JSON list of commands, at most one a stream, and the writer's time. Gives each command's outcome:
-- `appended` · `duplicate`, this cause was written before · `conflict`, the stream is not where the writer saw
-- it · `stale`, the effect it settles is no longer the writer's. All but the first write nothing. The version
-- is the stream's afterwards; `o_taken` lists step, generation and fence of each effect leased to the writer.
-- Plans are made once and go by index, however small the tables were at that moment.
CREATE FUNCTION coverd.append_together(p_commands text, p_now timestamptz)
RETURNS TABLE (o_ordinal int, o_outcome text, o_version int, o_taken json)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_all      appending[];
  v_versions int[];
  v_hashes   bytea[];
  v_outcomes text[];
  v_taken    json[];
  v_counts   int[];
  v_befores  bigint[];
  v_times    timestamptz[];
BEGIN
  SELECT array_agg(c ORDER BY c.bucket, c.stream_id) INTO v_all
  FROM json_populate_recordset(NULL::appending, p_commands::json) c;

  -- A new stream gets its head first, so that two writers of it wait for each other like any others.
  INSERT INTO stream (bucket, stream_id, version, state, status, head_hash)
  SELECT c.bucket, c.stream_id, 0, '', '{}', decode(repeat('00', 32), 'hex')
  FROM unnest(v_all) c
  WHERE c.expected = 0
  ORDER BY c.bucket, c.stream_id
  ON CONFLICT (bucket, stream_id) DO NOTHING;

  WITH locked AS (
    SELECT c.ordinality, s.version, s.head_hash
    FROM unnest(v_all) WITH ORDINALITY c
    JOIN stream s ON s.bucket = c.bucket AND s.stream_id = c.stream_id
    ORDER BY c.ordinality
    FOR UPDATE OF s
  )
  SELECT array_agg(coalesce(l.version, 0) ORDER BY n.n), array_agg(l.head_hash ORDER BY n.n)
  INTO v_versions, v_hashes
  FROM generate_subscripts(v_all, 1) n(n)
  LEFT JOIN locked l ON l.ordinality = n.n;

  -- This statement sees everything that was committed before the locks were granted.
  SELECT array_agg(CASE WHEN a.cause IS NOT NULL THEN 'duplicate'
                        WHEN c.expected <> v_versions[c.ordinality::int] THEN 'conflict'
                        ELSE 'appended' END ORDER BY c.ordinality)
  INTO v_outcomes
  FROM unnest(v_all) WITH ORDINALITY c
  LEFT JOIN accepted a ON a.bucket = c.bucket AND a.stream_id = c.stream_id AND a.cause = c.cause;

  IF EXISTS (SELECT FROM unnest(v_all) c WHERE c.settles IS NOT NULL) THEN
    WITH asked AS (
      SELECT c.ordinality, c.bucket, c.stream_id, s.step, s.generation, s.fence, s.result, s.error
      FROM unnest(v_all) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_record(c.settles)
        AS s(step text, generation int, fence bigint, result text, error text)
      WHERE c.settles IS NOT NULL AND v_outcomes[c.ordinality::int] = 'appended'
    ), settled AS (
      UPDATE effect e
      SET wake_at = NULL, leased_until = NULL,
          done_at = CASE WHEN asked.result IS NOT NULL THEN p_now END,
          result = asked.result,
          parked_at = CASE WHEN asked.result IS NULL THEN p_now END,
          last_error = coalesce(asked.error, e.last_error)
      FROM asked
      WHERE e.bucket = asked.bucket AND e.stream_id = asked.stream_id AND e.step = asked.step
        AND e.generation = asked.generation AND e.fence = asked.fence AND e.leased_until IS NOT NULL
      RETURNING asked.ordinality
    )
    SELECT array_agg(CASE WHEN a.ordinality IS NOT NULL AND s.ordinality IS NULL THEN 'stale'
                          ELSE v_outcomes[n.n] END ORDER BY n.n)
    INTO v_outcomes
    FROM generate_subscripts(v_all, 1) n(n)
    LEFT JOIN asked a ON a.ordinality = n.n
    LEFT JOIN settled s ON s.ordinality = n.n;
  END IF;

  INSERT INTO accepted (bucket, stream_id, cause)
  SELECT c.bucket, c.stream_id, c.cause
  FROM unnest(v_all) WITH ORDINALITY c
  WHERE v_outcomes[c.ordinality::int] = 'appended';

  INSERT INTO vendor_id (bucket, kind, id, stream_id)
  SELECT l.bucket, l.kind, l.id, c.stream_id
  FROM unnest(v_all) WITH ORDINALITY c
  CROSS JOIN LATERAL json_to_recordset(c.lookups) AS l(bucket int, kind text, id text)
  WHERE v_outcomes[c.ordinality::int] = 'appended'
  ORDER BY l.bucket, l.kind, l.id
  ON CONFLICT (bucket, kind, id, stream_id) DO NOTHING;

  -- An effect that was asked for before stays as it is; only one that was withdrawn starts afresh, under a fence
  -- that keeps growing.
  WITH wanted AS (
    INSERT INTO effect AS kept
      (bucket, stream_id, step, generation, channel, kind, payload, key, correlation, created_at,
       wake_at, leased_until, fence, attempt)
    SELECT c.bucket, c.stream_id, w.step, w.generation, w.channel, w.kind, w.payload::json, w.key, c.correlation,
           p_now,
           CASE WHEN w.take THEN p_now + make_interval(secs => c.take_for)
                ELSE coalesce(to_timestamp(w.due_at), p_now) END,
           CASE WHEN w.take THEN p_now + make_interval(secs => c.take_for) END,
           w.take::int, w.take::int
    FROM unnest(v_all) WITH ORDINALITY c
    CROSS JOIN LATERAL json_to_recordset(c.effects)
      AS w(step text, generation int, channel text, kind text, payload text, key text, due_at bigint, take boolean)
    WHERE v_outcomes[c.ordinality::int] = 'appended'
    ON CONFLICT (bucket, stream_id, step, generation) DO UPDATE
    SET channel = excluded.channel, kind = excluded.kind, payload = excluded.payload, key = excluded.key,
        correlation = excluded.correlation, created_at = excluded.created_at, wake_at = excluded.wake_at,
        leased_until = excluded.leased_until, fence = kept.fence + excluded.fence, attempt = excluded.attempt,
        last_error = NULL, done_at = NULL, result = NULL
    WHERE kept.result = 'withdrawn'
    RETURNING kept.bucket, kept.stream_id, kept.step, kept.generation, kept.fence, kept.leased_until
  ), taken AS (
    SELECT w.bucket, w.stream_id,
           json_agg(json_build_object('step', w.step, 'generation', w.generation, 'fence', w.fence)) AS effects
    FROM wanted w
    WHERE w.leased_until IS NOT NULL
    GROUP BY w.bucket, w.stream_id
  )
  SELECT array_agg(t.effects ORDER BY c.ordinality) INTO v_taken
  FROM unnest(v_all) WITH ORDINALITY c
  LEFT JOIN taken t ON t.bucket = c.bucket AND t.stream_id = c.stream_id;

  IF EXISTS (SELECT FROM unnest(v_all) c WHERE c.delivery IS NOT NULL) THEN
    UPDATE inbox i
    SET outcome = 'applied', type = d.type, detail = NULL, streams = d.streams, wake_at = NULL,
        processed_at = p_now, parked_at = NULL
    FROM (
      SELECT g.bucket, g.arrival, g.type, ARRAY[c.stream_id] AS streams
      FROM unnest(v_all) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_record(c.delivery) AS g(bucket int, arrival uuid, type text)
      WHERE c.delivery IS NOT NULL AND v_outcomes[c.ordinality::int] = 'appended'
    ) d
    WHERE i.bucket = d.bucket AND i.arrival = d.arrival;
  END IF;

  SELECT array_agg(CASE WHEN v_outcomes[c.ordinality::int] = 'appended'
                        THEN nullif(json_array_length(c.events), 0) END ORDER BY c.ordinality)
  INTO v_counts
  FROM unnest(v_all) WITH ORDINALITY c;

  IF EXISTS (SELECT FROM unnest(v_counts) n(n) WHERE n.n IS NOT NULL) THEN
    SELECT t.o_befores, t.o_times INTO v_befores, v_times
    FROM number_together(ARRAY(SELECT c.bucket FROM unnest(v_all) WITH ORDINALITY c ORDER BY c.ordinality),
                         v_counts, p_now) t;

    v_hashes := write_events_together(v_all, v_hashes, v_befores, v_times);

    UPDATE stream s
    SET version = w.version, state = w.state, status = w.status, head_hash = w.hash, updated_at = w.updated_at
    FROM (
      SELECT c.bucket, c.stream_id, c.expected + json_array_length(c.events) AS version, c.state,
             c.status::json AS status, v_hashes[c.ordinality::int] AS hash, v_times[c.ordinality::int] AS updated_at
      FROM unnest(v_all) WITH ORDINALITY c
      WHERE v_befores[c.ordinality::int] IS NOT NULL
    ) w
    WHERE s.bucket = w.bucket AND s.stream_id = w.stream_id;
  END IF;

  RETURN QUERY
  SELECT c.ordinal, v_outcomes[c.ordinality::int],
         CASE WHEN v_befores[c.ordinality::int] IS NULL THEN v_versions[c.ordinality::int]
              ELSE c.expected + json_array_length(c.events) END,
         v_taken[c.ordinality::int]
  FROM unnest(v_all) WITH ORDINALITY c;
END
$$;
