-- Read models: the lists people search, folded from the log, which can be thrown away and folded again.
--
-- A read model's tables carry a revision in their names (engagements_r1) behind a view without one
-- (engagements), so that a rebuild can fill new tables while the old ones serve. The functions below
-- are the tables' only definition, for revision 1 here and for every rebuild.

-- Which revision of each projection serves.
CREATE TABLE coverd.projection (
  name text PRIMARY KEY,
  live int  NOT NULL
);

-- How far each revision has come in each bucket. A bucket with an error is stopped before the event
-- after `position`, until a person or a newer program lets it go on.
CREATE TABLE coverd.subscription (
  bucket      int         NOT NULL,
  projection  text        NOT NULL,
  revision    int         NOT NULL,
  position    bigint      NOT NULL DEFAULT 0,
  advanced_at timestamptz,
  error       text,
  stopped_at  timestamptz,
  PRIMARY KEY (bucket, projection, revision),
  CHECK ((error IS NULL) = (stopped_at IS NULL))
) WITH (fillfactor = 50);

-- Events that an operator took out of a projection, for this revision and every later one.
CREATE TABLE coverd.skipped_event (
  bucket     int         NOT NULL,
  projection text        NOT NULL,
  position   bigint      NOT NULL,
  reason     text        NOT NULL CHECK (reason <> ''),
  actor      text        NOT NULL,
  skipped_at timestamptz NOT NULL,
  error      text        NOT NULL,
  PRIMARY KEY (bucket, projection, position)
);

GRANT SELECT ON coverd.projection TO coverd_app;
GRANT SELECT, UPDATE ON coverd.subscription TO coverd_app;
GRANT SELECT, INSERT ON coverd.skipped_event TO coverd_app;

-- A checkpoint in every bucket, at the beginning of the log.
CREATE FUNCTION coverd.subscribe(p_projection text, p_revision int) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO coverd.subscription (bucket, projection, revision)
  SELECT b, p_projection, p_revision FROM generate_series(0, 1023) AS b;
END
$$;

-- One row an engagement; and one row for each thing on it that waits, or once waited, for a person.
--
-- `periods` is when it is known to be covered, nothing after the contract's end. `unknown_until` is how
-- long an active policy without a known start leaves the answer open. `status` is the fold so far.
-- (created_at, engagement_id) is the order of lists: it never changes, whatever happens to the row.
CREATE FUNCTION coverd.create_engagements(p_revision int) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_engagements text := format('engagements_r%s', p_revision);
  v_attention   text := format('attention_r%s', p_revision);
BEGIN
  EXECUTE format($ddl$
    CREATE TABLE coverd.%I (
      bucket          int               NOT NULL,
      engagement_id   text              NOT NULL,
      version         int               NOT NULL,
      state           text              NOT NULL,
      client_id       text,
      freelancer_id   text,
      contractor_id   text,
      title           text,
      periods         tstzmultirange    NOT NULL,
      unknown_until   timestamptz,
      attention_codes text[]            NOT NULL,
      attention_count int               NOT NULL,
      created_at      timestamptz       NOT NULL,
      updated_at      timestamptz       NOT NULL,
      status          json              NOT NULL,
      PRIMARY KEY (bucket, engagement_id)
    ) WITH (fillfactor = 80)$ddl$, v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (created_at, engagement_id)', v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (state, created_at, engagement_id)', v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (client_id, created_at, engagement_id)', v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (freelancer_id, created_at, engagement_id)', v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (created_at, engagement_id) WHERE attention_count > 0',
                 v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I (unknown_until) WHERE unknown_until IS NOT NULL', v_engagements);
  EXECUTE format('CREATE INDEX ON coverd.%I USING gist (periods)', v_engagements);

  EXECUTE format($ddl$
    CREATE TABLE coverd.%I (
      bucket        int         NOT NULL,
      engagement_id text        NOT NULL,
      code          text        NOT NULL,
      step          text        NOT NULL,
      message       text        NOT NULL,
      clears        text        NOT NULL,
      since         timestamptz NOT NULL,
      first_seen    timestamptz NOT NULL,
      last_seen     timestamptz NOT NULL,
      count         int         NOT NULL,
      cleared_at    timestamptz,
      PRIMARY KEY (bucket, engagement_id, code, step)
    ) WITH (fillfactor = 80)$ddl$, v_attention);
  EXECUTE format('CREATE INDEX ON coverd.%I (since, engagement_id, code, step) WHERE cleared_at IS NULL',
                 v_attention);
  EXECUTE format('CREATE INDEX ON coverd.%I (code, since, engagement_id, step) WHERE cleared_at IS NULL',
                 v_attention);

  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON coverd.%I, coverd.%I TO coverd_app',
                 v_engagements, v_attention);
  PERFORM coverd.subscribe('engagements', p_revision);
END
$$;

-- One row a freelancer. Their engagements are found by freelancer_id in engagements.
CREATE FUNCTION coverd.create_freelancers(p_revision int) RETURNS void
LANGUAGE plpgsql SET search_path = coverd, pg_catalog, pg_temp AS $$
DECLARE
  v_freelancers text := format('freelancers_r%s', p_revision);
BEGIN
  EXECUTE format($ddl$
    CREATE TABLE coverd.%I (
      bucket        int         NOT NULL,
      freelancer_id text        NOT NULL,
      version       int         NOT NULL,
      contractor_id text,
      opted_in_at   timestamptz,
      created_at    timestamptz NOT NULL,
      updated_at    timestamptz NOT NULL,
      status        json        NOT NULL,
      PRIMARY KEY (bucket, freelancer_id)
    ) WITH (fillfactor = 80)$ddl$, v_freelancers);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON coverd.%I TO coverd_app', v_freelancers);
  PERFORM coverd.subscribe('freelancers', p_revision);
END
$$;

SELECT coverd.create_engagements(1), coverd.create_freelancers(1);

INSERT INTO coverd.projection (name, live) VALUES ('engagements', 1), ('freelancers', 1);

CREATE VIEW coverd.engagements AS SELECT * FROM coverd.engagements_r1;
CREATE VIEW coverd.attention AS SELECT * FROM coverd.attention_r1;
CREATE VIEW coverd.freelancers AS SELECT * FROM coverd.freelancers_r1;

GRANT SELECT ON coverd.engagements, coverd.attention, coverd.freelancers TO coverd_app;
