-- The control tables of cartage. They live in the new backend's database, beside its own tables, so
-- that each effect, its ledger row and its checkpoint commit together. Definitions commit by
-- themselves here: each is one that may be repeated. On MariaDB the collation is utf8mb4_nopad_bin.

CREATE TABLE IF NOT EXISTS cartage_pipeline (
    id                int NOT NULL AUTO_INCREMENT COMMENT 'Short identifier used by the other control tables',
    name              varchar(255) NOT NULL COMMENT 'The name in the configuration file',
    phase             varchar(40) NOT NULL DEFAULT 'new' COMMENT 'new, backfilling, following, stopped (later: routing, switching, switched, rolling_back, complete)',
    epoch             bigint NOT NULL DEFAULT 0 COMMENT 'Increased by each daemon that takes the pipeline over; only the latest one can write',
    source_system     text COMMENT 'System identifier of the source cluster',
    source_timeline   int COMMENT 'Timeline of the source cluster when it was last checked',
    slot              text COMMENT 'Replication slot on the source',
    publication       text COMMENT 'Publication on the source',
    publication_state longtext COMMENT 'Published tables, their partitions and identities when they were last checked (JSON)',
    ids_secret        blob COMMENT 'Key of keyed_id and uuid_v5 where the configuration gives none; identifiers change without it',
    ids_fingerprint   text COMMENT 'Tells whether the key of keyed_id and uuid_v5 is still the one under which identifiers were first made; the key cannot be told from it',
    mapping           int COMMENT 'The mapping in force (cartage_mapping.id)',
    purge_horizon     bigint unsigned COMMENT 'The checkpoint may not be moved back below this position (see cartage_checkpoint.lsn)',
    waived            bigint NOT NULL DEFAULT 0 COMMENT 'Source transactions too large to keep each cart atomic',
    stopped_reason    longtext COMMENT 'Why the daemon stopped and needs a human; null while all is well',
    created_at        timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When setup made this row',
    PRIMARY KEY (id),
    UNIQUE KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: one row for each pipeline that writes into this database; cartage teardown removes these tables';

CREATE TABLE IF NOT EXISTS cartage_mapping (
    id         int NOT NULL AUTO_INCREMENT COMMENT 'Identifier used by cartage_ledger.mapping',
    pipeline   int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    hash       varchar(100) NOT NULL COMMENT 'Fingerprint of the mapping and of the source columns that it reads',
    engine     int NOT NULL COMMENT 'Version of the mapping engine and of the image encoding',
    config     longtext NOT NULL COMMENT 'The mapping part of the configuration file, without connections and secrets',
    layout     longtext NOT NULL COMMENT 'Source tables and columns in the order of the images, with the target column types (JSON)',
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When this mapping first ran',
    PRIMARY KEY (id),
    UNIQUE KEY (pipeline, hash),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: every mapping that a ledger row may still refer to';

CREATE TABLE IF NOT EXISTS cartage_checkpoint (
    pipeline     int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    lane         int NOT NULL COMMENT 'Number of the lane',
    epoch        bigint NOT NULL COMMENT 'The daemon that owns the lane; a write under another epoch changes nothing',
    lsn          bigint unsigned NOT NULL COMMENT 'Position in the source log. Of a Postgres source it is printed by: concat(hex(lsn >> 32), ''/'', hex(lsn & 4294967295)); of MySQL and MariaDB, number of the binary log and place in it: concat(lpad(lsn >> 32 & 16777215, 6, ''0''), '':'', lsn & 4294967295)',
    seq          bigint NOT NULL DEFAULT 0 COMMENT 'Changes done of the transaction that commits at lsn; 0 means a border between transactions',
    patches      bigint NOT NULL DEFAULT 0 COMMENT 'Patches committed by this lane',
    rows_applied bigint NOT NULL DEFAULT 0 COMMENT 'Target rows written or deleted by this lane',
    conflicts    bigint NOT NULL DEFAULT 0 COMMENT 'Guards that did not match',
    late         bigint NOT NULL DEFAULT 0 COMMENT 'Source changes to carts that the new backend had finished with',
    mirror       bigint NOT NULL DEFAULT 0 COMMENT 'Carts that this lane brought into the state mirror, less those that it took out of it; the sum over all lanes is the number in the ledger',
    merged       bigint NOT NULL DEFAULT 0 COMMENT 'The same of the state merged',
    handed_over  bigint NOT NULL DEFAULT 0 COMMENT 'The same of the state handed_over',
    held         bigint NOT NULL DEFAULT 0 COMMENT 'The same of the state held',
    ended        bigint NOT NULL DEFAULT 0 COMMENT 'The same of the state ended',
    commit_time  timestamp(6) NULL DEFAULT NULL COMMENT 'Commit time of the last source transaction applied',
    updated_at   timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the lane last committed',
    PRIMARY KEY (pipeline, lane),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: one row for each lane: everything up to here is durable in this database';

CREATE TABLE IF NOT EXISTS cartage_ledger (
    pipeline  int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    cart      varchar(700) NOT NULL COMMENT 'Cart key; several columns are joined by |',
    state     varchar(40) NOT NULL COMMENT 'mirror, merged, handed_over, held, ended',
    lsn       bigint unsigned NOT NULL COMMENT 'Source changes up to here are in the image or in cartage_held.pending (printed as cartage_checkpoint.lsn)',
    seq       bigint NOT NULL DEFAULT 0 COMMENT 'Change number inside the transaction that commits at lsn',
    mapping   int NOT NULL COMMENT 'The mapping that made the target rows (cartage_mapping.id)',
    patches   bigint NOT NULL DEFAULT 0 COMMENT 'Patches of this cart committed since its header row was inserted',
    refreshed bigint unsigned COMMENT 'Position at which the cart was last read whole from the source (printed as cartage_checkpoint.lsn)',
    image     longblob NOT NULL COMMENT 'The source rows that the target rows were made from (binary)',
    tokens    longblob COMMENT 'Lock tokens that cartage last left on the target rows (binary)',
    PRIMARY KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: one row for each cart that cartage knows';

CREATE TABLE IF NOT EXISTS cartage_share (
    pipeline int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    number   bigint NOT NULL COMMENT 'Number of a target row that by its key could be the row of several carts',
    cart     varchar(700) NOT NULL COMMENT 'Key of a cart that has the row (cartage_ledger.cart)',
    PRIMARY KEY (pipeline, number, cart),
    KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: target rows of carts that by their keys could be another cart''s too';

CREATE TABLE IF NOT EXISTS cartage_held (
    pipeline int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    cart     varchar(700) NOT NULL COMMENT 'Cart key',
    unit     varchar(700) COMMENT 'Carts with the same unit are held and released together',
    reason   varchar(40) NOT NULL COMMENT 'conflict, constraint, unmappable',
    message  longtext NOT NULL COMMENT 'What failed and on which object, without cell values',
    pending  longblob NOT NULL COMMENT 'The image that the cart should be brought to (binary)',
    base     longtext COMMENT 'Target rows as cartage last wrote them; shop data (JSON)',
    ours     longtext COMMENT 'Target rows as the source wants them; shop data (JSON)',
    theirs   longtext COMMENT 'Target rows as they were found; shop data (JSON)',
    attempts int NOT NULL DEFAULT 1 COMMENT 'How often it was tried',
    since    timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was first set aside',
    retry_at timestamp(6) NULL DEFAULT NULL COMMENT 'When it is tried again; null waits for held retry',
    PRIMARY KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: carts that could not be applied, with all that is needed to apply them later';

CREATE TABLE IF NOT EXISTS cartage_wish (
    pipeline int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    cart     varchar(700) NOT NULL COMMENT 'Cart key',
    reason   varchar(40) NOT NULL COMMENT 'Why: became_live, born_unproved, arrival, toast, owner, mapping, asked',
    since    timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was first wished',
    PRIMARY KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: carts that must be read again from the source';

CREATE TABLE IF NOT EXISTS cartage_refresh_run (
    id          int NOT NULL AUTO_INCREMENT COMMENT 'Identifier',
    pipeline    int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    kind        varchar(40) NOT NULL COMMENT 'backfill, all, mapping',
    stage       varchar(40) NOT NULL DEFAULT 'read' COMMENT 'read (carts of the source), then sweep (carts of the ledger that were not met)',
    start_lsn   bigint unsigned NOT NULL COMMENT 'Source position when it began (printed as cartage_checkpoint.lsn)',
    `cursor`    text COMMENT 'Cart key after which it goes on',
    carts_done  bigint NOT NULL DEFAULT 0 COMMENT 'Carts done',
    carts_total bigint COMMENT 'Carts to do, as estimated at the start',
    rows_done   bigint NOT NULL DEFAULT 0 COMMENT 'Source rows read',
    waiting     longtext COMMENT 'Why it waits, while it waits',
    started_at  timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it began',
    finished_at timestamp(6) NULL DEFAULT NULL COMMENT 'When it was done; null while it runs',
    PRIMARY KEY (id),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: backfills and other walks over all carts, resumable at their last chunk';

CREATE TABLE IF NOT EXISTS cartage_conflict (
    id       bigint NOT NULL AUTO_INCREMENT COMMENT 'Identifier',
    pipeline int NOT NULL COMMENT 'The pipeline (cartage_pipeline.id)',
    cart     varchar(700) NOT NULL COMMENT 'Cart key',
    kind     varchar(40) NOT NULL COMMENT 'held, late (a source write to a cart that the new backend has finished with), source_end',
    lsn      bigint unsigned NOT NULL COMMENT 'Source position of the change (printed as cartage_checkpoint.lsn)',
    base     longtext COMMENT 'Target rows as cartage last wrote them; shop data (JSON)',
    ours     longtext COMMENT 'Target rows as the source wants them; shop data (JSON)',
    theirs   longtext COMMENT 'Target rows as they were found; shop data (JSON)',
    at       timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it was recorded',
    PRIMARY KEY (id),
    KEY (pipeline, cart),
    FOREIGN KEY (pipeline) REFERENCES cartage_pipeline (id) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
COMMENT='cartage: what happened where the new backend had written the same cart';
