-- Calls that were tried twelve times and still fail are shown to people, and counted at each scrape: they are few.
DROP INDEX CONCURRENTLY IF EXISTS coverd.effect_in_vain;
CREATE INDEX CONCURRENTLY effect_in_vain ON coverd.effect (channel, kind, created_at)
  WHERE wake_at IS NOT NULL AND attempt >= 12;
