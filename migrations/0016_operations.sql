-- What people ask of many engagements or deliveries at once, and what auditors run: who, why, what it was to reach
-- and what came of it. The acts on each engagement are events of its own; here stands what they were part of.

-- Nothing of a row changes but how it ended: an operation that a crash broke off goes on with the same targets
-- when it is asked for again under the same id.
CREATE TABLE coverd.operation (
  bucket   int         NOT NULL CHECK (bucket = coverd.bucket_of(id)),
  id       text        NOT NULL,  -- the act and the caller's Idempotency-Key, or chance
  act      text        NOT NULL CHECK (act IN ('retry', 'replay', 'skip', 'verify')),
  actor    text        NOT NULL,
  reason   text,
  asked    json        NOT NULL,  -- the filter and the brake, as they were given
  targets  json        NOT NULL,  -- what was picked
  matched  bigint      NOT NULL CHECK (matched >= 0),
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  result   json,
  PRIMARY KEY (bucket, id),
  CHECK ((ended_at IS NULL) = (result IS NULL))
);

CREATE INDEX operation_newest ON coverd.operation (began_at, id);
CREATE INDEX operation_of_act ON coverd.operation (act, began_at);

GRANT SELECT, INSERT, UPDATE (ended_at, result) ON coverd.operation TO coverd_app;

-- Since when a person has left a delivery as it is; null while it is nobody's decision.
ALTER TABLE coverd.inbox ADD COLUMN skipped_at timestamptz;
