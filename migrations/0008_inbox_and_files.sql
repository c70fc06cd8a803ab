-- What the world told us, byte for byte, committed before the sender hears 2xx.
CREATE TABLE coverd.inbox (
  bucket       int         NOT NULL CHECK (bucket = coverd.bucket_of(source || ':' || dedupe)),
  arrival      uuid        NOT NULL,  -- version 7: sorts by arrival; the public id is <bucket>-<arrival>
  source       text        NOT NULL,
  dedupe       text        NOT NULL,  -- what makes two deliveries the same
  body         bytea       NOT NULL,
  headers      json        NOT NULL,
  verdict      text        NOT NULL,
  received_at  timestamptz NOT NULL,
  wake_at      timestamptz,           -- when to process it (again); null once settled for good
  attempt      int         NOT NULL CHECK (attempt >= 0),
  type         text,
  outcome      text CHECK (outcome IN ('applied', 'quiet', 'unknown_type', 'unusable', 'parked', 'failed')),
  detail       text,
  streams      text[]      NOT NULL DEFAULT '{}',
  parked_at    timestamptz,           -- since when it has waited for its engagement
  processed_at timestamptz,
  PRIMARY KEY (bucket, arrival),
  UNIQUE (bucket, source, dedupe),
  CHECK ((outcome IS NULL) = (processed_at IS NULL)),
  CHECK ((outcome IS NOT DISTINCT FROM 'parked') = (parked_at IS NOT NULL))
) WITH (fillfactor = 90);

CREATE INDEX inbox_newest ON coverd.inbox (arrival);
CREATE INDEX inbox_waiting ON coverd.inbox (wake_at, bucket) WHERE wake_at IS NOT NULL;
CREATE INDEX inbox_unsettled ON coverd.inbox (outcome, arrival)
  WHERE outcome IN ('unknown_type', 'unusable', 'parked', 'failed');

GRANT SELECT, INSERT, UPDATE ON coverd.inbox TO coverd_app;

-- Leases up to p_limit due deliveries, oldest due first: the same pattern as for effects. Processing one twice
-- is harmless (the delivery is the cause), so no fence is needed.
CREATE FUNCTION coverd.claim_deliveries(p_limit int, p_now timestamptz, p_until timestamptz)
RETURNS SETOF coverd.inbox
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_due record;
BEGIN
  FOR v_due IN
    SELECT i.bucket, i.arrival FROM inbox i WHERE i.wake_at <= p_now ORDER BY i.wake_at LIMIT p_limit
  LOOP
    PERFORM FROM inbox i
    WHERE i.bucket = v_due.bucket AND i.arrival = v_due.arrival AND i.wake_at <= p_now
    FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      RETURN QUERY
      UPDATE inbox i SET wake_at = p_until, attempt = i.attempt + 1
      WHERE i.bucket = v_due.bucket AND i.arrival = v_due.arrival
      RETURNING i.*;
    END IF;
  END LOOP;
END
$$;

-- Certificates, kept once under their SHA-256.
CREATE TABLE coverd.file (
  bucket     int         NOT NULL CHECK (bucket = coverd.bucket_of(sha256)),
  sha256     text        NOT NULL,
  content    bytea       NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (bucket, sha256),
  CHECK (sha256 = encode(pg_catalog.sha256(content), 'hex'))
);
ALTER TABLE coverd.file ALTER COLUMN content SET STORAGE EXTERNAL;  -- a PDF is packed already

GRANT SELECT, INSERT ON coverd.file TO coverd_app;
