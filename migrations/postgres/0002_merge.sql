-- Merges: what a merge has left in the target, what it decided, and how many there were.

ALTER TABLE checkpoint
    ADD COLUMN merged_items bigint NOT NULL DEFAULT 0,
    ADD COLUMN merge_conflicts bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN checkpoint.merged_items IS 'Lines whose quantity both sides had changed, and that this lane merged';
COMMENT ON COLUMN checkpoint.merge_conflicts IS 'Merges by this lane of carts that the new backend had written since cartage last looked';

ALTER TABLE ledger ADD COLUMN kept bytea;
COMMENT ON COLUMN ledger.kept IS 'Target rows of a merged cart that are other than its image says, as cartage last left them; shop data (binary); null if there are none';

ALTER TABLE conflict
    ADD COLUMN decisions jsonb,
    ADD COLUMN times bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN conflict.kind IS 'merged, held, late (a source write to a cart that the new backend has finished with), source_end';
COMMENT ON COLUMN conflict.decisions IS 'What a merge decided, value by value, and by which rule; shop data';
COMMENT ON COLUMN conflict.times IS 'How often it was found just so, one time after the other';
