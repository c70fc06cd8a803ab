-- Takes a JSON list of commands, at most one a stream, and the time.
-- Gives each command's ordinal, outcome and the stream's version; see migrations/0009_append.sql.
SELECT o_ordinal AS ordinal, o_outcome AS outcome, o_version AS version
FROM coverd.append_batch($1, $2)
