-- A runner works on many buckets in one transaction, for most of what a small step costs is its commit.

-- Locks the checkpoints of these buckets and gives where they stand: none that another runner holds, that is stopped
-- or gone. One by one, because on a cluster rows of several buckets cannot be locked together; nobody waits.
CREATE FUNCTION coverd.lock_checkpoints(p_projection text, p_revision int, p_buckets text[])
RETURNS TABLE (o_bucket int, o_position bigint)
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_bucket text;
BEGIN
  FOREACH v_bucket IN ARRAY p_buckets LOOP
    RETURN QUERY
    SELECT s.bucket, s.position FROM subscription s
    WHERE s.bucket = v_bucket::int AND s.projection = p_projection AND s.revision = p_revision
      AND s.error IS NULL
    FOR UPDATE SKIP LOCKED;
  END LOOP;
END
$$;
