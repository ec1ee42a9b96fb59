-- What a cart can be held for. Keys are not allocated here: no sequence gives them before a row is
-- written.

ALTER TABLE cartage_held
    MODIFY COLUMN reason varchar(40) NOT NULL COMMENT 'conflict, constraint, lookup (one with hold finds no row, or several), unmappable';
