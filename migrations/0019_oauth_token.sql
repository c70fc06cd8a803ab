-- One access token serves all processes, and one of them fetches it when it runs out: the lease says who is at it,
-- and `number` that a token which somebody saw is still the latest. What is sealed can be read only with the client
-- secret, which is not in the database.
CREATE TABLE coverd.oauth_token (
  bucket       int         NOT NULL CHECK (bucket = coverd.bucket_of(name)),
  name         text        NOT NULL,
  number       int         NOT NULL CHECK (number >= 0),
  sealed       bytea,
  until        timestamptz,
  owner        text,
  leased_until timestamptz,
  PRIMARY KEY (bucket, name),
  CHECK ((sealed IS NULL) = (until IS NULL))
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON coverd.oauth_token TO coverd_app;
