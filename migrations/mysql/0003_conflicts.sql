-- Conflict records that another policy can be tried on, and that go by age and number; held carts
-- that take the rows of one side. A definition that was done is known by its columns.

ALTER TABLE cartage_conflict
    ADD COLUMN mapping int COMMENT 'The mapping by which it was merged (cartage_mapping.id); null for other kinds',
    ADD COLUMN items bigint NOT NULL DEFAULT 0 COMMENT 'Lines whose quantity both sides had changed',
    ADD COLUMN inputs longblob COMMENT 'All that the merge looked at, for cartage conflicts replay; shop data (binary); null for other kinds',
    ADD COLUMN seen_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was last found just so; its age is counted from here',
    MODIFY COLUMN kind varchar(40) NOT NULL COMMENT 'merged, held, late (a source write to a cart that the new backend has finished with), source_end, taken (one side''s rows, by cartage held resolve)',
    ADD KEY conflict_seen (pipeline, seen_at, id);

ALTER TABLE cartage_held
    ADD COLUMN take varchar(10) COMMENT 'The side whose rows are to be taken at the next try: source, target; null for neither';
