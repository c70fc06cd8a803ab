-- The log. Nobody who runs the service can change it (no UPDATE, DELETE or TRUNCATE below), and whoever can
-- is found out: each hash covers the event, its place, its time and the hash before it.
CREATE TABLE coverd.event (
  bucket       int         NOT NULL CHECK (bucket = coverd.bucket_of(stream_id)),
  stream_id    text        NOT NULL,
  version      int         NOT NULL CHECK (version >= 1),
  position     bigint      NOT NULL CHECK (position >= 1),
  type         text        NOT NULL,
  schema       int         NOT NULL,
  effective_at bigint      NOT NULL,  -- epoch seconds
  recorded_at  timestamptz NOT NULL,
  cause        text        NOT NULL,
  correlation  text        NOT NULL,
  actor        text        NOT NULL,
  data         json        NOT NULL,  -- not jsonb: the stored bytes are the hashed bytes
  hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (bucket, stream_id, version),
  UNIQUE (bucket, position)
);

-- The same function lives in service/store/chain.py, and a test proves them equal. The header is a JSON list,
-- so no value can pass for a part of its neighbour.
CREATE FUNCTION coverd.event_hash(p_previous bytea, p_event coverd.event) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(
  p_previous
  || convert_to(json_build_array(
       (p_event).stream_id, (p_event).version, (p_event).position, (p_event).type, (p_event).schema,
       (p_event).effective_at, (extract(epoch FROM (p_event).recorded_at) * 1000000)::bigint,
       (p_event).cause, (p_event).correlation, (p_event).actor
     )::text, 'UTF8')
  || convert_to((p_event).data::text, 'UTF8')
);

GRANT SELECT, INSERT ON coverd.event TO coverd_app;
