-- What 0024 does, with fewer statements and no list ever compared with itself, which told the more the longer it was.
-- The locks and their order are the same: stream heads by key, effects of those streams, bucket heads by number. What
-- 0024 made stays for processes of the version before.

-- The hash of an event, from its columns; see event_hash.
CREATE FUNCTION coverd.link_hash(
  p_previous bytea, p_stream_id text, p_version int, p_position bigint, p_type text, p_schema int,
  p_effective_at bigint, p_recorded_at timestamptz, p_cause text, p_correlation text, p_actor text, p_data text
) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(
  p_previous
  || convert_to(json_build_array(
       p_stream_id, p_version, p_position, p_type, p_schema, p_effective_at,
       (extract(epoch FROM p_recorded_at) * 1000000)::bigint, p_cause, p_correlation, p_actor
     )::text, 'UTF8')
  || convert_to(p_data, 'UTF8')
);

-- Numbers the events of commands: how many each has (null: none) and in which bucket; they come in the order of their
-- buckets. Bucket heads are locked in that order, for many streams share them, and held until commit, so that whoever
-- numbers next commits later; and the time never steps back within a bucket. Gives the position before each command's
-- first event, and its time.
CREATE FUNCTION coverd.number_commands(
  p_buckets int[], p_counts int[], p_now timestamptz, OUT o_befores bigint[], OUT o_times timestamptz[]
)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_places  int[] := '{}';     -- the buckets that are written to, each once
  v_sums    bigint[] := '{}';  -- and how many events each gets
  v_last    int := 0;
  v_at      bigint[] := array_fill(0::bigint, ARRAY[1024], ARRAY[0]);  -- by bucket
  v_moments timestamptz[] := array_fill(NULL::timestamptz, ARRAY[1024], ARRAY[0]);
  v_here    int;
  v         record;
BEGIN
  FOR i IN 1 .. cardinality(p_counts) LOOP
    IF p_counts[i] IS NOT NULL THEN
      v_here := p_buckets[i];
      IF v_last = 0 OR v_places[v_last] <> v_here THEN
        v_last := v_last + 1;
        v_places[v_last] := v_here;
        v_sums[v_last] := 0;
      END IF;
      v_sums[v_last] := v_sums[v_last] + p_counts[i];
    END IF;
  END LOOP;

  PERFORM FROM bucket_head h WHERE h.bucket = ANY (v_places) ORDER BY h.bucket FOR UPDATE;
  FOR v IN
    UPDATE bucket_head h
    SET position = h.position + g.events, recorded_at = greatest(h.recorded_at, p_now)
    FROM unnest(v_places, v_sums) AS g(bucket, events)
    WHERE h.bucket = g.bucket
    RETURNING h.bucket, h.position - g.events AS before, h.recorded_at
  LOOP
    v_at[v.bucket] := v.before;
    v_moments[v.bucket] := v.recorded_at;
  END LOOP;

  FOR i IN 1 .. cardinality(p_counts) LOOP
    IF p_counts[i] IS NOT NULL THEN
      v_here := p_buckets[i];
      o_befores[i] := v_at[v_here];
      o_times[i] := v_moments[v_here];
      v_at[v_here] := v_at[v_here] + p_counts[i];
    END IF;
  END LOOP;
END
$$;

-- Takes a JSON list of commands (see coverd.appending), at most one a stream, and the writer's time. Gives, each at the
-- same place of its list, the commands' ordinals, their outcomes and their streams' versions afterwards: `appended` ·
-- `duplicate`, this cause was written before · `conflict`, the stream is not where the writer saw it · `stale`, the
-- effect it settles is no longer the writer's. All but the first write nothing. `o_taken` lists stream, step,
-- generation and fence of each effect leased to the writer.
-- Plans are made once and go by index, however small the tables were at that moment.
CREATE FUNCTION coverd.append_commands(
  p_commands text, p_now timestamptz,
  OUT o_ordinals int[], OUT o_outcomes text[], OUT o_versions int[], OUT o_taken json
)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_all      appending[];
  v_buckets  int[];
  v_expected int[];
  v_counts   int[];      -- how many events each writes; null: none
  v_settles  boolean[];  -- whether each waits for its effect to be settled
  v_begins   boolean;
  v_looks    boolean;
  v_wants    boolean;
  v_delivers boolean;
  v_hashes   bytea[];
  v_befores  bigint[];   -- the position before each command's first event
  v_times    timestamptz[];
  v_size     int;
  v_most     int := 0;
  v          record;
BEGIN
  SELECT array_agg(c ORDER BY c.bucket, c.stream_id), array_agg(c.ordinal ORDER BY c.bucket, c.stream_id),
         array_agg(c.bucket ORDER BY c.bucket, c.stream_id), array_agg(c.expected ORDER BY c.bucket, c.stream_id),
         array_agg(json_array_length(c.events) ORDER BY c.bucket, c.stream_id),
         array_agg(c.settles IS NOT NULL ORDER BY c.bucket, c.stream_id),
         bool_or(c.expected = 0), bool_or(json_array_length(c.lookups) > 0),
         bool_or(json_array_length(c.effects) > 0), bool_or(c.delivery IS NOT NULL)
  INTO v_all, o_ordinals, v_buckets, v_expected, v_counts, v_settles, v_begins, v_looks, v_wants, v_delivers
  FROM json_populate_recordset(NULL::appending, p_commands::json) c;
  v_size := coalesce(cardinality(v_all), 0);
  o_versions := array_fill(0, ARRAY[v_size]);
  v_hashes := array_fill(NULL::bytea, ARRAY[v_size]);

  -- A new stream gets its head first, so that two writers of it wait for each other like any others.
  IF v_begins THEN
    INSERT INTO stream (bucket, stream_id, version, state, status, head_hash)
    SELECT c.bucket, c.stream_id, 0, '', '{}', decode(repeat('00', 32), 'hex')
    FROM unnest(v_all) c
    WHERE c.expected = 0
    ORDER BY c.bucket, c.stream_id
    ON CONFLICT (bucket, stream_id) DO NOTHING;
  END IF;

  FOR v IN
    SELECT c.ordinality::int AS n, s.version, s.head_hash
    FROM unnest(v_all) WITH ORDINALITY c
    JOIN stream s ON s.bucket = c.bucket AND s.stream_id = c.stream_id
    ORDER BY c.ordinality
    FOR UPDATE OF s
  LOOP
    o_versions[v.n] := v.version;
    v_hashes[v.n] := v.head_hash;
  END LOOP;

  -- This statement sees everything that was committed before the locks were granted.
  SELECT array_agg(CASE WHEN a.cause IS NOT NULL THEN 'duplicate'
                        WHEN c.expected <> o_versions[c.ordinality::int] THEN 'conflict'
                        ELSE 'appended' END ORDER BY c.ordinality)
  INTO o_outcomes
  FROM unnest(v_all) WITH ORDINALITY c
  LEFT JOIN accepted a ON a.bucket = c.bucket AND a.stream_id = c.stream_id AND a.cause = c.cause;

  IF true = ANY (v_settles) THEN
    FOR v IN
      UPDATE effect e
      SET wake_at = NULL, leased_until = NULL,
          done_at = CASE WHEN asked.result IS NOT NULL THEN p_now END,
          result = asked.result,
          parked_at = CASE WHEN asked.result IS NULL THEN p_now END,
          last_error = coalesce(asked.error, e.last_error)
      FROM (
        SELECT c.ordinality::int AS n, c.bucket, c.stream_id, s.step, s.generation, s.fence, s.result, s.error
        FROM unnest(v_all) WITH ORDINALITY c
        CROSS JOIN LATERAL json_to_record(c.settles)
          AS s(step text, generation int, fence bigint, result text, error text)
        WHERE c.settles IS NOT NULL AND o_outcomes[c.ordinality::int] = 'appended'
      ) asked
      WHERE e.bucket = asked.bucket AND e.stream_id = asked.stream_id AND e.step = asked.step
        AND e.generation = asked.generation AND e.fence = asked.fence AND e.leased_until IS NOT NULL
      RETURNING asked.n
    LOOP
      v_settles[v.n] := false;
    END LOOP;
    FOR i IN 1 .. v_size LOOP
      IF v_settles[i] AND o_outcomes[i] = 'appended' THEN
        o_outcomes[i] := 'stale';
      END IF;
    END LOOP;
  END IF;

  INSERT INTO accepted (bucket, stream_id, cause)
  SELECT c.bucket, c.stream_id, c.cause
  FROM unnest(v_all) WITH ORDINALITY c
  WHERE o_outcomes[c.ordinality::int] = 'appended';

  IF v_looks THEN
    INSERT INTO vendor_id (bucket, kind, id, stream_id)
    SELECT l.bucket, l.kind, l.id, c.stream_id
    FROM unnest(v_all) WITH ORDINALITY c
    CROSS JOIN LATERAL json_to_recordset(c.lookups) AS l(bucket int, kind text, id text)
    WHERE o_outcomes[c.ordinality::int] = 'appended'
    ORDER BY l.bucket, l.kind, l.id
    ON CONFLICT (bucket, kind, id, stream_id) DO NOTHING;
  END IF;

  -- An effect that was asked for before stays as it is; only one that was withdrawn starts afresh, under a fence
  -- that keeps growing.
  IF v_wants THEN
    WITH wanted AS (
      INSERT INTO effect AS kept
        (bucket, stream_id, step, generation, channel, kind, payload, key, correlation, created_at,
         wake_at, leased_until, fence, attempt)
      SELECT c.bucket, c.stream_id, w.step, w.generation, w.channel, w.kind, w.payload::json, w.key,
             c.correlation, p_now,
             CASE WHEN w.take THEN p_now + make_interval(secs => c.take_for)
                  ELSE coalesce(to_timestamp(w.due_at), p_now) END,
             CASE WHEN w.take THEN p_now + make_interval(secs => c.take_for) END,
             w.take::int, w.take::int
      FROM unnest(v_all) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_recordset(c.effects) AS w(
        step text, generation int, channel text, kind text, payload text, key text, due_at bigint, take boolean
      )
      WHERE o_outcomes[c.ordinality::int] = 'appended'
      ON CONFLICT (bucket, stream_id, step, generation) DO UPDATE
      SET channel = excluded.channel, kind = excluded.kind, payload = excluded.payload, key = excluded.key,
          correlation = excluded.correlation, created_at = excluded.created_at, wake_at = excluded.wake_at,
          leased_until = excluded.leased_until, fence = kept.fence + excluded.fence, attempt = excluded.attempt,
          last_error = NULL, done_at = NULL, result = NULL
      WHERE kept.result = 'withdrawn'
      RETURNING kept.stream_id, kept.step, kept.generation, kept.fence, kept.leased_until
    )
    SELECT json_agg(json_build_array(w.stream_id, w.step, w.generation, w.fence)) INTO o_taken
    FROM wanted w
    WHERE w.leased_until IS NOT NULL;
  END IF;

  IF v_delivers THEN
    UPDATE inbox i
    SET outcome = 'applied', type = d.type, detail = NULL, streams = d.streams, wake_at = NULL,
        processed_at = p_now, parked_at = NULL
    FROM (
      SELECT g.bucket, g.arrival, g.type, ARRAY[c.stream_id] AS streams
      FROM unnest(v_all) WITH ORDINALITY c
      CROSS JOIN LATERAL json_to_record(c.delivery) AS g(bucket int, arrival uuid, type text)
      WHERE c.delivery IS NOT NULL AND o_outcomes[c.ordinality::int] = 'appended'
    ) d
    WHERE i.bucket = d.bucket AND i.arrival = d.arrival;
  END IF;

  FOR i IN 1 .. v_size LOOP
    IF o_outcomes[i] <> 'appended' OR v_counts[i] = 0 THEN
      v_counts[i] := NULL;
    ELSE
      o_versions[i] := v_expected[i] + v_counts[i];
      v_most := greatest(v_most, v_counts[i]);
    END IF;
  END LOOP;
  IF v_most = 0 THEN
    RETURN;
  END IF;

  SELECT t.o_befores, t.o_times INTO v_befores, v_times FROM number_commands(v_buckets, v_counts, p_now) t;

  -- The first event of each command, then the second, and so on: a hash covers the one before.
  FOR k IN 1 .. v_most LOOP
    FOR v IN
      WITH following AS MATERIALIZED (
        SELECT c.ordinality::int AS n, c.bucket, c.stream_id, c.expected + k AS version,
               v_befores[c.ordinality::int] + k AS position, e.type, e.schema, c.effective_at,
               v_times[c.ordinality::int] AS recorded_at, c.cause, c.correlation, c.actor, e.data,
               link_hash(v_hashes[c.ordinality::int], c.stream_id, c.expected + k,
                         v_befores[c.ordinality::int] + k, e.type, e.schema, c.effective_at,
                         v_times[c.ordinality::int], c.cause, c.correlation, c.actor, e.data) AS hash
        FROM unnest(v_all) WITH ORDINALITY c
        CROSS JOIN LATERAL json_to_record(c.events -> (k - 1)) AS e(type text, schema int, data text)
        WHERE v_counts[c.ordinality::int] >= k
      ), written AS (
        INSERT INTO event (bucket, stream_id, version, position, type, schema, effective_at, recorded_at, cause,
                           correlation, actor, data, hash)
        SELECT f.bucket, f.stream_id, f.version, f.position, f.type, f.schema, f.effective_at, f.recorded_at,
               f.cause, f.correlation, f.actor, f.data::json, f.hash
        FROM following f
      )
      SELECT f.n, f.hash FROM following f
    LOOP
      v_hashes[v.n] := v.hash;
    END LOOP;
  END LOOP;

  UPDATE stream s
  SET version = w.version, state = w.state, status = w.status, head_hash = w.hash, updated_at = w.updated_at
  FROM (
    SELECT c.bucket, c.stream_id, o_versions[c.ordinality::int] AS version, c.state, c.status::json AS status,
           v_hashes[c.ordinality::int] AS hash, v_times[c.ordinality::int] AS updated_at
    FROM unnest(v_all) WITH ORDINALITY c
    WHERE v_counts[c.ordinality::int] IS NOT NULL
  ) w
  WHERE s.bucket = w.bucket AND s.stream_id = w.stream_id;
END
$$;
