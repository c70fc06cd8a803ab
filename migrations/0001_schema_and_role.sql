-- Everything of coverd lives in one schema, and the running service acts as one role that may do no more
-- than it needs: above all it can add events but never change or remove one.
CREATE SCHEMA coverd;

DO $$
DECLARE
  -- Before version 16 a member could always act as the role; since then that is a right of its own.
  v_acting text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coverd_app') THEN
    BEGIN
      CREATE ROLE coverd_app NOLOGIN;
    EXCEPTION
      -- Roles are shared by all databases of a server: another one may be migrated at this moment.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role coverd_app is missing and "%" may not create roles', current_user
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('As an administrator: CREATE ROLE coverd_app NOLOGIN; GRANT coverd_app TO %I;', current_user);
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'coverd_app', v_acting) THEN
    BEGIN
      EXECUTE format('GRANT coverd_app TO %I', current_user);
    EXCEPTION
      WHEN unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role coverd_app exists, but "%" may not act as it', current_user
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('As an administrator: GRANT coverd_app TO %I;', current_user);
    END;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA coverd TO coverd_app;
