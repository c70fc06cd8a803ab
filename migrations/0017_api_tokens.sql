-- API tokens that are made and revoked while the service runs. Only their hashes are kept: a token is shown
-- once, to whom it was made for, and a copy of this table opens nothing.
CREATE TABLE coverd.api_token (
  bucket       int         NOT NULL CHECK (bucket = coverd.bucket_of(token_id)),
  token_id     text        NOT NULL,
  name         text        NOT NULL,
  scope        text        NOT NULL CHECK (scope IN ('read', 'operate', 'audit')),
  digest       bytea       NOT NULL CHECK (length(digest) = 32),  -- SHA-256 of the token
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz CHECK (expires_at > created_at),
  revoked_at   timestamptz,
  last_used_at timestamptz,
  PRIMARY KEY (bucket, token_id)
) WITH (fillfactor = 80);

-- Who serves may say that a token was used, and neither make nor change one.
GRANT SELECT, UPDATE (last_used_at) ON coverd.api_token TO coverd_app;
