-- Merges: what a merge has left in the target, what it decided, and how many there were. Each
-- definition commits by itself, all of it or nothing: one that was done is known by its columns.

ALTER TABLE cartage_checkpoint
    ADD COLUMN merged_items bigint NOT NULL DEFAULT 0 COMMENT 'Lines whose quantity both sides had changed, and that this lane merged',
    ADD COLUMN merge_conflicts bigint NOT NULL DEFAULT 0 COMMENT 'Merges by this lane of carts that the new backend had written since cartage last looked';

ALTER TABLE cartage_ledger
    ADD COLUMN kept longblob COMMENT 'Target rows of a merged cart that are other than its image says, as cartage last left them; shop data (binary); null if there are none';

ALTER TABLE cartage_conflict
    MODIFY COLUMN kind varchar(40) NOT NULL COMMENT 'merged, held, late (a source write to a cart that the new backend has finished with), source_end',
    ADD COLUMN decisions longtext COMMENT 'What a merge decided, value by value, and by which rule; shop data (JSON)',
    ADD COLUMN times bigint NOT NULL DEFAULT 1 COMMENT 'How often it was found just so, one time after the other';
