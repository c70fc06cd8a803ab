-- The outbox: one row an effect. Order among them comes from causality (an effect is asked for only once what
-- it needs is known), so they run side by side and one that is given up holds up no other.
CREATE TABLE coverd.effect (
  bucket       int         NOT NULL CHECK (bucket = coverd.bucket_of(stream_id)),
  stream_id    text        NOT NULL,
  step         text        NOT NULL,
  generation   int         NOT NULL CHECK (generation >= 1),
  channel      text        NOT NULL,
  kind         text        NOT NULL,
  payload      json        NOT NULL,
  key          text        NOT NULL,  -- the idempotency key to send
  correlation  text        NOT NULL,
  wake_at      timestamptz,           -- when to look at it next; null once done or parked
  leased_until timestamptz,           -- set while a worker holds it
  fence        bigint      NOT NULL DEFAULT 0,
  attempt      int         NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  parked_at    timestamptz,
  last_error   text,
  done_at      timestamptz,
  result       text,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (bucket, stream_id, step, generation),
  CHECK (num_nonnulls(wake_at, parked_at, done_at) = 1),
  CHECK ((done_at IS NULL) = (result IS NULL)),
  CHECK (leased_until IS NULL OR wake_at IS NOT NULL)
) WITH (fillfactor = 80);

CREATE INDEX effect_waiting ON coverd.effect (wake_at, bucket) WHERE wake_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON coverd.effect TO coverd_app;

-- A lease is a due time: a worker that dies is forgotten when it passes, and the fence makes its late word
-- count for nothing. Gives the effect, or nothing when somebody else has it or it is not due.
CREATE FUNCTION coverd.lease_effect(
  p_bucket int, p_stream_id text, p_step text, p_generation int, p_now timestamptz, p_until timestamptz
) RETURNS SETOF coverd.effect
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM effect e
  WHERE e.bucket = p_bucket AND e.stream_id = p_stream_id AND e.step = p_step
    AND e.generation = p_generation AND e.wake_at <= p_now
  FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    RETURN QUERY
    UPDATE effect e
    SET wake_at = p_until, leased_until = p_until, fence = e.fence + 1, attempt = e.attempt + 1
    WHERE e.bucket = p_bucket AND e.stream_id = p_stream_id AND e.step = p_step AND e.generation = p_generation
    RETURNING e.*;
  END IF;
END
$$;

-- Leases up to p_limit due effects, of p_channels or of all. The due ones are found by a plain scan and taken
-- one by one, because on a cluster rows of several buckets cannot be locked together; they are shuffled so
-- that workers who look at the same moment do not all reach for the same ones.
CREATE FUNCTION coverd.claim_effects(p_limit int, p_now timestamptz, p_until timestamptz, p_channels text[])
RETURNS SETOF coverd.effect
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_due   record;
  v_found effect;
  v_left  int := p_limit;
BEGIN
  FOR v_due IN
    SELECT d.* FROM (
      SELECT e.bucket, e.stream_id, e.step, e.generation FROM effect e
      WHERE e.wake_at <= p_now AND (p_channels IS NULL OR e.channel = ANY (p_channels))
      ORDER BY e.wake_at
      LIMIT p_limit * 4
    ) d
    ORDER BY random()
  LOOP
    EXIT WHEN v_left <= 0;
    FOR v_found IN
      SELECT * FROM lease_effect(v_due.bucket, v_due.stream_id, v_due.step, v_due.generation, p_now, p_until)
    LOOP
      v_left := v_left - 1;
      RETURN NEXT v_found;
    END LOOP;
  END LOOP;
END
$$;

-- The same for what one stream has due.
CREATE FUNCTION coverd.claim_effects_of(p_bucket int, p_stream_id text, p_now timestamptz, p_until timestamptz)
RETURNS SETOF coverd.effect
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_due record;
BEGIN
  FOR v_due IN
    SELECT e.step, e.generation FROM effect e
    WHERE e.bucket = p_bucket AND e.stream_id = p_stream_id AND e.wake_at <= p_now
    ORDER BY e.wake_at, e.step, e.generation
  LOOP
    RETURN QUERY
    SELECT * FROM lease_effect(p_bucket, p_stream_id, v_due.step, v_due.generation, p_now, p_until);
  END LOOP;
END
$$;
