-- The feed: the whole log in one order, for readers who keep nothing but how far they have read.
--
-- Buckets are numbered apart, so that appends seldom wait for each other. This numbering is given afterwards,
-- by a projection. Whoever numbers holds the one row of feed_head from then until commit: so numbers are dense,
-- their order is the order of commits, and nobody who asks for `seq > n` ever misses an event.
--
-- Readers keep these numbers as their cursors. A rebuild would number anew, so there is none: the tables carry
-- no revision. And since one lock orders them they stay on one machine, also where buckets are spread over
-- several: the only tables of many rows whose keys don't begin with the bucket.
CREATE TABLE coverd.feed_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq      bigint  NOT NULL DEFAULT 0 CHECK (seq >= 0)
) WITH (fillfactor = 50);

INSERT INTO coverd.feed_head DEFAULT VALUES;

CREATE TABLE coverd.feed (
  seq         bigint      PRIMARY KEY CHECK (seq >= 1),
  bucket      int         NOT NULL,
  position    bigint      NOT NULL,
  stream_id   text        NOT NULL,
  version     int         NOT NULL,
  type        text        NOT NULL,
  recorded_at timestamptz NOT NULL,
  UNIQUE (bucket, position)
);

CREATE INDEX ON coverd.feed (stream_id, seq);

GRANT SELECT, UPDATE ON coverd.feed_head TO coverd_app;
GRANT SELECT, INSERT ON coverd.feed TO coverd_app;

SELECT coverd.subscribe('feed', 1);

INSERT INTO coverd.projection (name, live) VALUES ('feed', 1);
