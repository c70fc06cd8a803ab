-- What a parked delivery waits for. Whoever records such an id, in whichever process, wakes just those that wait
-- for it, without looking at the rest.
CREATE TABLE coverd.waiting (
  bucket       int  NOT NULL CHECK (bucket = coverd.bucket_of(kind || ':' || id)),
  kind         text NOT NULL,
  id           text NOT NULL,
  inbox_bucket int  NOT NULL,
  arrival      uuid NOT NULL,
  PRIMARY KEY (bucket, kind, id, inbox_bucket, arrival)
);

GRANT SELECT, INSERT, DELETE ON coverd.waiting TO coverd_app;

-- Makes due what waits for any of the ids (a JSON list of bucket, kind and id) and forgets that it waited;
-- gives how many deliveries woke. A delivery settled in the meantime is left as it is.
CREATE FUNCTION coverd.wake_waiting(p_ids json, p_now timestamptz) RETURNS int
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_id    record;
  v_row   record;
  v_woken int := 0;
BEGIN
  FOR v_id IN
    SELECT i.bucket, i.kind, i.id FROM json_to_recordset(p_ids) AS i(bucket int, kind text, id text)
    ORDER BY i.bucket, i.kind, i.id  -- always the same way round, so that nothing deadlocks
  LOOP
    FOR v_row IN
      DELETE FROM waiting w WHERE w.bucket = v_id.bucket AND w.kind = v_id.kind AND w.id = v_id.id
      RETURNING w.inbox_bucket, w.arrival
    LOOP
      UPDATE inbox i SET wake_at = p_now
      WHERE i.bucket = v_row.inbox_bucket AND i.arrival = v_row.arrival AND i.outcome = 'parked';
      IF FOUND THEN
        v_woken := v_woken + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN v_woken;
END
$$;
