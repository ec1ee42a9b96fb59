-- Keys that the target's sequences have given to rows of the mapping, and of which source rows.

CREATE TABLE key_map (
    pipeline integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    name     text NOT NULL,
    args     text NOT NULL,
    value    bigint NOT NULL,
    PRIMARY KEY (pipeline, name, args),
    UNIQUE (pipeline, name, value)
);
COMMENT ON TABLE key_map IS 'Keys of target rows that the target''s own sequences gave, each for good';
COMMENT ON COLUMN key_map.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN key_map.name IS 'The target table, with its schema';
COMMENT ON COLUMN key_map.args IS 'The key of the source row (a JSON array of texts)';
COMMENT ON COLUMN key_map.value IS 'The key of the target row';

COMMENT ON COLUMN held.reason IS 'conflict, constraint, lookup (one with hold finds no row, or several), unmappable';
