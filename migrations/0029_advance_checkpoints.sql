-- Moves the checkpoints of these buckets, which the transaction has locked. One by one: a join with a list is planned
-- as if it had few rows, and then reads the whole table for each bucket, dead rows and all.
CREATE FUNCTION coverd.advance_checkpoints(
  p_projection text, p_revision int, p_buckets text[], p_positions text[], p_now timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE
  v_bucket   int;
  v_position bigint;
BEGIN
  FOR i IN 1 .. cardinality(p_buckets) LOOP
    v_bucket := p_buckets[i];
    v_position := p_positions[i];
    UPDATE subscription s
    SET position = v_position, advanced_at = p_now
    WHERE s.bucket = v_bucket AND s.projection = p_projection AND s.revision = p_revision;
  END LOOP;
END
$$;
