-- Verifications: how far each one is and what it found, and the carts that were last found otherwise
-- than equal.

CREATE TABLE IF NOT EXISTS cartage_verify_run (
    id             int NOT NULL AUTO_INCREMENT COMMENT 'Identifier',
    pipeline       int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    kind           varchar(40) NOT NULL COMMENT 'full, carts, sample, since',
    `by`           varchar(40) NOT NULL COMMENT 'command, daemon',
    asked          varchar(100) COMMENT 'How many carts for a sample, from when on for since (microseconds since 1970 UTC); else null',
    mapping        int NOT NULL COMMENT 'The mapping by which it compares (cartage_mapping.id); 0 for one that the daemon has not applied',
    start_lsn      bigint unsigned NOT NULL COMMENT 'Source position when it began (printed as cartage_checkpoint.lsn)',
    stage          varchar(40) NOT NULL DEFAULT 'source' COMMENT 'source (carts of the source), ledger (carts of the ledger that are not live in the source), done, given_up (a later one took its place)',
    `cursor`       text COMMENT 'Cart key after which it goes on in its stage',
    carts_total    bigint COMMENT 'Carts to look at, as estimated at the start',
    carts_done     bigint NOT NULL DEFAULT 0 COMMENT 'Carts looked at, those of the ledger that are live in the source left out',
    rows_done      bigint NOT NULL DEFAULT 0 COMMENT 'Source rows read',
    equal          bigint NOT NULL DEFAULT 0 COMMENT 'Carts that are in the target as they should be',
    missing        bigint NOT NULL DEFAULT 0 COMMENT 'Carts whose header row is not in the target',
    extra          bigint NOT NULL DEFAULT 0 COMMENT 'Carts with rows in the target that are no longer live in the source',
    different      bigint NOT NULL DEFAULT 0 COMMENT 'Carts that differ in a row or a value',
    pending        bigint NOT NULL DEFAULT 0 COMMENT 'Carts that have still to come, or kept changing while they were compared',
    held           bigint NOT NULL DEFAULT 0 COMMENT 'Carts that are set aside (cartage_held)',
    merged         bigint NOT NULL DEFAULT 0 COMMENT 'Carts that both sides have written',
    stale_lookups  bigint NOT NULL DEFAULT 0 COMMENT 'Carts that were mapped with answers of lookups that are others today',
    worked_seconds double NOT NULL DEFAULT 0 COMMENT 'How long it has worked, over all its processes',
    waited_seconds double NOT NULL DEFAULT 0 COMMENT 'How much of that it waited for its rate or for the source to be less busy',
    waiting        longtext COMMENT 'Why it waits, while it waits',
    started_at     timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it began',
    updated_at     timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When this row was last written: a run that works does so about each second',
    finished_at    timestamp(6) NULL DEFAULT NULL COMMENT 'When it was done; null while it runs, or was cut short',
    PRIMARY KEY (id),
    KEY (pipeline, id),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: verifications, resumable at their last chunk';

CREATE TABLE IF NOT EXISTS cartage_verify_cart (
    pipeline       int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    cart           varchar(700) NOT NULL COMMENT 'Cart key; several columns are joined by |',
    run            int NOT NULL COMMENT 'The verification that found it (cartage_verify_run.id)',
    verdict        varchar(40) NOT NULL COMMENT 'missing, extra, different, pending, held, parked (it is to be looked at again before the run counts it)',
    differences    longtext NOT NULL COMMENT 'What differs, as verify --json has it; shop data (JSON)',
    looked_at      timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was last looked at',
    PRIMARY KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: carts that were last found otherwise than equal; at most some ten thousand';
