-- Conflict records that another policy can be tried on, and that go by age and number; held carts
-- that take the rows of one side.

ALTER TABLE conflict
    ADD COLUMN mapping integer,
    ADD COLUMN items bigint NOT NULL DEFAULT 0,
    ADD COLUMN inputs bytea,
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX conflict_seen ON conflict (pipeline, seen_at, id);
COMMENT ON COLUMN conflict.kind IS 'merged, held, late (a source write to a cart that the new backend has finished with), source_end, taken (one side''s rows, by cartage held resolve)';
COMMENT ON COLUMN conflict.mapping IS 'The mapping by which it was merged (mapping.id); null for other kinds';
COMMENT ON COLUMN conflict.items IS 'Lines whose quantity both sides had changed';
COMMENT ON COLUMN conflict.inputs IS 'All that the merge looked at, for cartage conflicts replay; shop data (binary); null for other kinds';
COMMENT ON COLUMN conflict.seen_at IS 'When it was last found just so; its age is counted from here';

ALTER TABLE held ADD COLUMN take text;
COMMENT ON COLUMN held.take IS 'The side whose rows are to be taken at the next try: source, target; null for neither';
