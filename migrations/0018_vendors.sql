-- How the vendors are, for all processes: what fails now, and what people decided. While a vendor or one of its
-- operations is closed, its effects wait in the outbox as they are.

-- One row for each operation (a kind of effect, or * for all of the vendor's) that failed since it last succeeded.
CREATE TABLE coverd.breaker (
  bucket    int         NOT NULL CHECK (bucket = coverd.bucket_of(vendor)),
  vendor    text        NOT NULL,
  operation text        NOT NULL,
  failures  int         NOT NULL CHECK (failures >= 0),
  since     timestamptz NOT NULL,  -- the first of these failures
  failed_at timestamptz NOT NULL,  -- the latest
  error     text        NOT NULL,
  opened_at timestamptz,
  openings  int         NOT NULL CHECK (openings >= 0),
  until     timestamptz,           -- when one process may try one effect
  PRIMARY KEY (bucket, vendor, operation),
  CHECK ((opened_at IS NULL) = (until IS NULL))
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON coverd.breaker TO coverd_app;

-- Every pause and resumption, for good. The latest act of a vendor says whether it is paused.
CREATE TABLE coverd.vendor_act (
  bucket   int         NOT NULL CHECK (bucket = coverd.bucket_of(vendor)),
  vendor   text        NOT NULL,
  number   int         NOT NULL CHECK (number >= 1),
  act      text        NOT NULL CHECK (act IN ('pause', 'resume')),
  actor    text        NOT NULL,
  reason   text        NOT NULL,
  cause    text        NOT NULL,
  acted_at timestamptz NOT NULL,
  PRIMARY KEY (bucket, vendor, number),
  UNIQUE (bucket, vendor, cause)
);

GRANT SELECT, INSERT ON coverd.vendor_act TO coverd_app;

-- A claim leaves the kinds of effects alone whose vendor or operation is closed.
DROP FUNCTION coverd.claim_effects(int, timestamptz, timestamptz, text[]);
DROP FUNCTION coverd.claim_effects_of(int, text, timestamptz, timestamptz);

-- As before (0006), but for p_without.
CREATE FUNCTION coverd.claim_effects(
  p_limit int, p_now timestamptz, p_until timestamptz, p_channels text[], p_without text[]
) RETURNS SETOF coverd.effect
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
        AND e.kind <> ALL (p_without)
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
CREATE FUNCTION coverd.claim_effects_of(
  p_bucket int, p_stream_id text, p_now timestamptz, p_until timestamptz, p_without text[]
) RETURNS SETOF coverd.effect
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_due record;
BEGIN
  FOR v_due IN
    SELECT e.step, e.generation FROM effect e
    WHERE e.bucket = p_bucket AND e.stream_id = p_stream_id AND e.wake_at <= p_now
      AND e.kind <> ALL (p_without)
    ORDER BY e.wake_at, e.step, e.generation
  LOOP
    RETURN QUERY
    SELECT * FROM lease_effect(p_bucket, p_stream_id, v_due.step, v_due.generation, p_now, p_until);
  END LOOP;
END
$$;

-- One waiting effect of p_kinds, the one tried least, whenever it is due: it finds out for all the others whether
-- they may go on.
CREATE FUNCTION coverd.claim_probe(p_kinds text[], p_now timestamptz, p_until timestamptz)
RETURNS SETOF coverd.effect
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_due record;
BEGIN
  FOR v_due IN
    SELECT e.bucket, e.stream_id, e.step, e.generation, e.wake_at FROM effect e
    WHERE e.wake_at IS NOT NULL AND e.kind = ANY (p_kinds) AND (e.leased_until IS NULL OR e.wake_at <= p_now)
    ORDER BY e.attempt, e.wake_at
    LIMIT 1
  LOOP
    RETURN QUERY
    SELECT * FROM lease_effect(
      v_due.bucket, v_due.stream_id, v_due.step, v_due.generation, greatest(v_due.wake_at, p_now), p_until
    );
  END LOOP;
END
$$;
