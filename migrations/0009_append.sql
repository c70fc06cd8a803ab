-- The only way into the log. Many commands in one round trip and one transaction, each with its own outcome.
-- Locks are always taken in the same order, so nothing deadlocks: stream heads by key, effects of those
-- streams, bucket heads by number. A cause needs no lock of its own: it belongs to a stream whose head is held.
-- Times are parameters and nothing here is volatile in an UPDATE, so the same text runs on a cluster.

-- One command as it comes over the wire; what must keep its bytes comes as text.
CREATE TYPE coverd.command AS (
  ordinal int, bucket int, stream_id text, expected int, cause text, correlation text, actor text,
  effective_at bigint, events json, state text, status text, effects json, lookups json, settles json
);

-- The stream's version and last hash under its lock; version 0 where there is no head to lock.
CREATE FUNCTION coverd.lock_head(p_command coverd.command, OUT o_version int, OUT o_hash bytea)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  SELECT s.version, s.head_hash INTO o_version, o_hash FROM stream s
  WHERE s.bucket = p_command.bucket AND s.stream_id = p_command.stream_id
  FOR UPDATE;
  o_version := coalesce(o_version, 0);
END
$$;

-- Settles the claimed effect a command speaks of. False when its fence is old or it is not claimed any more.
CREATE FUNCTION coverd.settle_effect(p_command coverd.command, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v record;
BEGIN
  SELECT * INTO v FROM json_to_record(p_command.settles)
    AS s(step text, generation int, fence bigint, result text, error text);
  UPDATE effect e
  SET wake_at = NULL, leased_until = NULL,
      done_at = CASE WHEN v.result IS NOT NULL THEN p_now END,
      result = v.result,
      parked_at = CASE WHEN v.result IS NULL THEN p_now END,
      last_error = coalesce(v.error, e.last_error)
  WHERE e.bucket = p_command.bucket AND e.stream_id = p_command.stream_id AND e.step = v.step
    AND e.generation = v.generation AND e.fence = v.fence AND e.leased_until IS NOT NULL;
  RETURN FOUND;
END
$$;

-- Writes the effects a command asks for. One that was asked for before stays as it is; only one that was
-- withdrawn starts afresh, under a fence that keeps growing.
CREATE FUNCTION coverd.want_effects(p_command coverd.command, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO effect AS kept
    (bucket, stream_id, step, generation, channel, kind, payload, key, correlation, wake_at, created_at)
  SELECT p_command.bucket, p_command.stream_id, w.step, w.generation, w.channel, w.kind, w.payload::json, w.key,
         p_command.correlation, coalesce(to_timestamp(w.due_at), p_now), p_now
  FROM json_to_recordset(p_command.effects)
    AS w(step text, generation int, channel text, kind text, payload text, key text, due_at bigint)
  ON CONFLICT (bucket, stream_id, step, generation) DO UPDATE
  SET channel = excluded.channel, kind = excluded.kind, payload = excluded.payload, key = excluded.key,
      correlation = excluded.correlation, wake_at = excluded.wake_at, created_at = excluded.created_at,
      attempt = 0, last_error = NULL, done_at = NULL, result = NULL
  WHERE kept.result = 'withdrawn';
END
$$;

-- Numbers p_count events of a bucket and holds its head until commit, so that whoever numbers next commits
-- later. Gives the position before the first, and a time that never steps back within the bucket.
CREATE FUNCTION coverd.take_positions(
  p_bucket int, p_count int, p_now timestamptz, OUT o_before bigint, OUT o_recorded_at timestamptz
)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bucket_head h
  SET position = h.position + p_count, recorded_at = greatest(h.recorded_at, p_now)
  WHERE h.bucket = p_bucket
  RETURNING h.position - p_count, h.recorded_at INTO o_before, o_recorded_at;
END
$$;

-- Writes a command's events behind p_hash, numbered from p_before + 1. Gives the last hash.
CREATE FUNCTION coverd.write_events(
  p_command coverd.command, p_hash bytea, p_before bigint, p_recorded_at timestamptz
) RETURNS bytea
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v       record;
  v_event event;
BEGIN
  v_event.bucket := p_command.bucket;
  v_event.stream_id := p_command.stream_id;
  v_event.effective_at := p_command.effective_at;
  v_event.recorded_at := p_recorded_at;
  v_event.cause := p_command.cause;
  v_event.correlation := p_command.correlation;
  v_event.actor := p_command.actor;
  v_event.hash := p_hash;
  FOR v IN
    SELECT e.* FROM json_to_recordset(p_command.events) AS e(version int, type text, schema int, data text)
    ORDER BY e.version
  LOOP
    v_event.version := v.version;
    v_event.position := p_before + v.version - p_command.expected;
    v_event.type := v.type;
    v_event.schema := v.schema;
    v_event.data := v.data::json;
    v_event.hash := event_hash(v_event.hash, v_event);
    INSERT INTO event SELECT v_event.*;
  END LOOP;
  RETURN v_event.hash;
END
$$;

-- Writes what makes a command count besides its events: its cause, its look-ups and its effects.
CREATE FUNCTION coverd.accept_command(p_command coverd.command, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO accepted (bucket, stream_id, cause)
  VALUES (p_command.bucket, p_command.stream_id, p_command.cause);
  IF json_array_length(p_command.lookups) > 0 THEN
    INSERT INTO vendor_id (bucket, kind, id, stream_id)
    SELECT l.bucket, l.kind, l.id, p_command.stream_id
    FROM json_to_recordset(p_command.lookups) AS l(bucket int, kind text, id text)
    ON CONFLICT (bucket, kind, id, stream_id) DO NOTHING;
  END IF;
  IF json_array_length(p_command.effects) > 0 THEN
    PERFORM want_effects(p_command, p_now);
  END IF;
END
$$;

-- Whether a command whose stream is locked may be written, and settles its effect if so. This statement sees
-- everything that was committed before the lock was granted.
CREATE FUNCTION coverd.judge_command(p_command coverd.command, p_version int, p_now timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM accepted a
  WHERE a.bucket = p_command.bucket AND a.stream_id = p_command.stream_id AND a.cause = p_command.cause;
  IF FOUND THEN
    RETURN 'duplicate';
  ELSIF p_command.expected <> p_version THEN
    RETURN 'conflict';
  ELSIF p_command.settles IS NOT NULL AND NOT settle_effect(p_command, p_now) THEN
    RETURN 'stale';
  END IF;
  RETURN 'appended';
END
$$;

-- Takes a JSON list of commands, at most one a stream, and the writer's time. Gives each command's outcome:
-- `appended` · `duplicate`, this cause was written before · `conflict`, the stream is not where the writer saw
-- it · `stale`, the effect it settles is no longer the writer's. All but the first write nothing. The version
-- is the stream's afterwards.
CREATE FUNCTION coverd.append_batch(p_commands text, p_now timestamptz)
RETURNS TABLE (o_ordinal int, o_outcome text, o_version int)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_commands    command[];
  v_outcomes    text[] := '{}';
  v_versions    int[] := '{}';
  v_hashes      bytea[] := '{}';
  v             command;
  v_version     int;
  v_hash        bytea;
  v_outcome     text;
  v_before      bigint;
  v_recorded_at timestamptz;
  i             int;
BEGIN
  SELECT array_agg(c ORDER BY c.bucket, c.stream_id) INTO v_commands
  FROM json_populate_recordset(NULL::command, p_commands::json) c;

  -- A new stream gets its head first, so that two writers of it wait for each other like any others.
  FOREACH v IN ARRAY v_commands LOOP
    IF v.expected = 0 THEN
      INSERT INTO stream (bucket, stream_id, version, state, status, head_hash)
      VALUES (v.bucket, v.stream_id, 0, '', '{}', decode(repeat('00', 32), 'hex'))
      ON CONFLICT (bucket, stream_id) DO NOTHING;
    END IF;
  END LOOP;

  FOREACH v IN ARRAY v_commands LOOP
    SELECT h.o_version, h.o_hash INTO v_version, v_hash FROM lock_head(v) h;
    v_versions := array_append(v_versions, v_version);
    v_hashes := array_append(v_hashes, v_hash);
  END LOOP;

  FOR i IN 1 .. cardinality(v_commands) LOOP
    v := v_commands[i];
    v_outcome := judge_command(v, v_versions[i], p_now);
    IF v_outcome = 'appended' THEN
      PERFORM accept_command(v, p_now);
    END IF;
    v_outcomes := array_append(v_outcomes, v_outcome);
  END LOOP;

  -- Bucket heads come last and in order, for they are shared by many streams.
  FOR i IN 1 .. cardinality(v_commands) LOOP
    v := v_commands[i];
    v_version := v_versions[i];
    IF v_outcomes[i] = 'appended' AND json_array_length(v.events) > 0 THEN
      v_version := v.expected + json_array_length(v.events);
      SELECT t.o_before, t.o_recorded_at INTO v_before, v_recorded_at
      FROM take_positions(v.bucket, json_array_length(v.events), p_now) t;
      v_hash := write_events(v, v_hashes[i], v_before, v_recorded_at);
      UPDATE stream s
      SET version = v_version, state = v.state, status = v.status::json, head_hash = v_hash,
          updated_at = v_recorded_at
      WHERE s.bucket = v.bucket AND s.stream_id = v.stream_id;
    END IF;
    o_ordinal := v.ordinal;
    o_outcome := v_outcomes[i];
    o_version := v_version;
    RETURN NEXT;
  END LOOP;
END
$$;
