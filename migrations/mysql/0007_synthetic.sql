-- Synthetic carts: written down before the first of their rows is made in the old database.

CREATE TABLE IF NOT EXISTS cartage_synthetic (
    pipeline       int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    n              bigint NOT NULL COMMENT 'Its number; its mark is cartage-<name of the pipeline>-<n>',
    made_by        varchar(20) NOT NULL COMMENT 'daemon, or command (cartage synthetic run)',
    step           varchar(20) NOT NULL COMMENT 'begun (its rows may be there or not), made (they are there), gone (they are not)',
    plan           longtext NOT NULL COMMENT 'The tables and columns by which its rows are found (JSON)',
    cart           varchar(700) COMMENT 'Cart key; null where it was not made',
    known          longtext NOT NULL COMMENT 'Keys that the old database gave to its rows (JSON)',
    made_at        timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was begun',
    finished_at    timestamp(6) NULL COMMENT 'When its rows were gone from the old database',
    create_seconds double COMMENT 'From the commit that made it until it was in the target',
    change_seconds double COMMENT 'The same of the change',
    remove_seconds double COMMENT 'The same of the removal',
    failure        text COMMENT 'What did not go as it should; null if all did',
    PRIMARY KEY (pipeline, n),
    CONSTRAINT cartage_synthetic_pipeline FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='Synthetic carts: those whose rows may be in the old database, and the last hundred that are gone';
