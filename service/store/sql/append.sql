-- Takes a JSON list of commands, at most one a stream, and the time.
-- Gives each command's ordinal, outcome, the stream's version, and the effects leased to the writer; see
-- migrations/0024_append_together.sql.
SELECT o_ordinal AS ordinal, o_outcome AS outcome, o_version AS version, o_taken::text AS taken
FROM coverd.append_together($1, $2)
