-- A vendor's limits hold for all processes together, so whose turn it is stands here. One row a vendor: a request
-- may start once the second has room (`free_at`) and once the minute has (`level_at`, the arrival time of the
-- generic cell rate algorithm). `taken` counts the turns of the day, UTC.
CREATE TABLE coverd.pace (
  bucket   int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name     text        NOT NULL,
  free_at  timestamptz NOT NULL,
  level_at timestamptz NOT NULL,
  day      date        NOT NULL,
  taken    int         NOT NULL CHECK (taken >= 0),
  PRIMARY KEY (bucket, name)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON coverd.pace TO coverd_app;

-- Gives up to p_want turns as seconds from p_now, none of them further ahead than p_horizon. Turns are p_spacing
-- apart at least, p_interval on average, and up to p_slack ahead of that average. All in seconds.
CREATE FUNCTION coverd.take_turns(
  p_bucket int, p_name text, p_want int, p_now timestamptz,
  p_spacing float8, p_interval float8, p_slack float8, p_horizon float8
) RETURNS SETOF float8
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_row   pace;
  v_at    timestamptz;
  v_day   date := (p_now AT TIME ZONE 'UTC')::date;
  v_given int := 0;
BEGIN
  INSERT INTO pace VALUES (p_bucket, p_name, p_now, p_now, v_day, 0) ON CONFLICT DO NOTHING;
  SELECT * INTO v_row FROM pace p WHERE p.bucket = p_bucket AND p.name = p_name FOR UPDATE;
  WHILE v_given < p_want LOOP
    v_at := greatest(p_now, v_row.free_at, v_row.level_at - make_interval(secs => p_slack));
    EXIT WHEN v_at > p_now + make_interval(secs => p_horizon);
    v_row.free_at := v_at + make_interval(secs => p_spacing);
    v_row.level_at := greatest(v_row.level_at, v_at) + make_interval(secs => p_interval);
    v_given := v_given + 1;
    RETURN NEXT extract(epoch FROM v_at - p_now)::float8;
  END LOOP;
  IF v_given > 0 THEN
    UPDATE pace p
    SET free_at = v_row.free_at, level_at = v_row.level_at, day = greatest(v_row.day, v_day),
        taken = CASE WHEN v_row.day < v_day THEN v_given ELSE v_row.taken + v_given END
    WHERE p.bucket = p_bucket AND p.name = p_name;
  END IF;
END
$$;
