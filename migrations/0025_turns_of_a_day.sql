-- A vendor's limit of a day: turns are given until so many were taken on the day (UTC) and then none until the next.
-- The function without it stays for the version that still runs.
CREATE FUNCTION coverd.take_turns(
  p_bucket int, p_name text, p_want int, p_now timestamptz,
  p_spacing float8, p_interval float8, p_slack float8, p_horizon float8, p_a_day int
) RETURNS SETOF float8
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_row   pace;
  v_at    timestamptz;
  v_day   date := (p_now AT TIME ZONE 'UTC')::date;
  v_given int := 0;
  v_most  int := p_want;
BEGIN
  INSERT INTO pace VALUES (p_bucket, p_name, p_now, p_now, v_day, 0) ON CONFLICT DO NOTHING;
  SELECT * INTO v_row FROM pace p WHERE p.bucket = p_bucket AND p.name = p_name FOR UPDATE;
  IF v_row.day < v_day THEN
    v_row.day := v_day;
    v_row.taken := 0;
  END IF;
  IF p_a_day IS NOT NULL THEN
    v_most := least(p_want, p_a_day - v_row.taken);
  END IF;
  WHILE v_given < v_most LOOP
    v_at := greatest(p_now, v_row.free_at, v_row.level_at - make_interval(secs => p_slack));
    EXIT WHEN v_at > p_now + make_interval(secs => p_horizon);
    v_row.free_at := v_at + make_interval(secs => p_spacing);
    v_row.level_at := greatest(v_row.level_at, v_at) + make_interval(secs => p_interval);
    v_given := v_given + 1;
    RETURN NEXT extract(epoch FROM v_at - p_now)::float8;
  END LOOP;
  IF v_given > 0 THEN
    UPDATE pace p
    SET free_at = v_row.free_at, level_at = v_row.level_at, day = v_row.day, taken = v_row.taken + v_given
    WHERE p.bucket = p_bucket AND p.name = p_name;
  END IF;
END
$$;
