-- Takes a JSON list of commands, at most one a stream, and the time.
-- Gives the commands' ordinals, their outcomes and their streams' versions, each at the same place, and the effects
-- leased to the writer; see migrations/0030_append_commands.sql.
SELECT o_ordinals AS ordinals, o_outcomes AS outcomes, o_versions AS versions, o_taken::text AS taken
FROM coverd.append_commands($1, $2)
