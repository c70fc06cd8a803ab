-- At its start the service looks whether the schema is its own. With this a login that owns nothing and is
-- only a member of coverd_app can serve.
GRANT SELECT ON public.schema_migration TO coverd_app;
