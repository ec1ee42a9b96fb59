-- Repairs of carts that drifted: who asked for which, what became of each, and the rows before and after.

CREATE TABLE IF NOT EXISTS cartage_repair_run (
    id              int NOT NULL AUTO_INCREMENT COMMENT 'Identifier',
    pipeline        int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    asked_by        varchar(40) NOT NULL COMMENT 'command, daemon',
    take_source     boolean NOT NULL DEFAULT false COMMENT 'The source''s rows are written over what the new backend wrote, too',
    restore_deleted boolean NOT NULL DEFAULT false COMMENT 'A cart whose header row is gone is put back while it is live in the source',
    started_at      timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was asked for',
    finished_at     timestamp(6) NULL DEFAULT NULL COMMENT 'When the last of its carts was done; null until then',
    PRIMARY KEY (id),
    KEY (pipeline, id),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: repairs of carts whose target rows were changed behind its back';

CREATE TABLE IF NOT EXISTS cartage_repair_cart (
    run         int NOT NULL COMMENT 'The repair (cartage_repair_run.id)',
    cart        varchar(700) NOT NULL COMMENT 'Cart key; several columns are joined by |',
    state       varchar(40) NOT NULL DEFAULT 'asked' COMMENT 'asked, repaired, nothing (it was as it should be), merged (the new backend had written it), refused, undone',
    rows_before longtext COMMENT 'Its target rows as they were found: table, key, lock token and the whole row; shop data (JSON)',
    rows_after  longtext COMMENT 'The same rows as the repair left them; null where nothing was written',
    note        longtext COMMENT 'What was done, or why not',
    asked_at    timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was asked for',
    done_at     timestamp(6) NULL DEFAULT NULL COMMENT 'When it was done or refused',
    PRIMARY KEY (run, cart),
    KEY repair_cart_asked (state, asked_at),
    FOREIGN KEY (run) REFERENCES cartage_repair_run (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: the carts of each repair';
