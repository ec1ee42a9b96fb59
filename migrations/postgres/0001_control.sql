-- The control tables of cartage. They live in the new backend's database, in a schema of their
-- own, so that each effect, its ledger row and its checkpoint commit together.

CREATE TABLE pipeline (
    id                integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name              text NOT NULL UNIQUE,
    phase             text NOT NULL DEFAULT 'new',
    epoch             bigint NOT NULL DEFAULT 0,
    source_system     text,
    source_timeline   integer,
    slot              text,
    publication       text,
    publication_state jsonb,
    ids_secret        bytea,
    ids_fingerprint   text,
    mapping           integer,
    purge_horizon     pg_lsn,
    waived            bigint NOT NULL DEFAULT 0,
    stopped_reason    text,
    created_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pipeline IS 'One row for each pipeline that writes into this database';
COMMENT ON COLUMN pipeline.id IS 'Short identifier used by the other control tables';
COMMENT ON COLUMN pipeline.name IS 'The name in the configuration file';
COMMENT ON COLUMN pipeline.phase IS 'new, backfilling, following, stopped (later: routing, switching, switched, rolling_back, complete)';
COMMENT ON COLUMN pipeline.epoch IS 'Increased by each daemon that takes the pipeline over; only the latest one can write';
COMMENT ON COLUMN pipeline.source_system IS 'System identifier of the source cluster';
COMMENT ON COLUMN pipeline.source_timeline IS 'Timeline of the source cluster when it was last checked';
COMMENT ON COLUMN pipeline.slot IS 'Replication slot on the source';
COMMENT ON COLUMN pipeline.publication IS 'Publication on the source';
COMMENT ON COLUMN pipeline.publication_state IS 'Published tables, their partitions and identities when they were last checked';
COMMENT ON COLUMN pipeline.ids_secret IS 'Key of keyed_id and uuid_v5 where the configuration gives none; identifiers change without it';
COMMENT ON COLUMN pipeline.ids_fingerprint IS 'Tells whether the key of keyed_id and uuid_v5 is still the one under which identifiers were first made; the key cannot be told from it';
COMMENT ON COLUMN pipeline.mapping IS 'The mapping in force (mapping.id)';
COMMENT ON COLUMN pipeline.purge_horizon IS 'The checkpoint may not be moved back below this position';
COMMENT ON COLUMN pipeline.waived IS 'Source transactions too large to keep each cart atomic';
COMMENT ON COLUMN pipeline.stopped_reason IS 'Why the daemon stopped and needs a human; null while all is well';
COMMENT ON COLUMN pipeline.created_at IS 'When setup made this row';

CREATE TABLE mapping (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline   integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    hash       text NOT NULL,
    engine     integer NOT NULL,
    config     text NOT NULL,
    layout     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pipeline, hash)
);
COMMENT ON TABLE mapping IS 'Every mapping that a ledger row may still refer to';
COMMENT ON COLUMN mapping.id IS 'Identifier used by ledger.mapping';
COMMENT ON COLUMN mapping.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN mapping.hash IS 'Fingerprint of the mapping and of the source columns that it reads';
COMMENT ON COLUMN mapping.engine IS 'Version of the mapping engine and of the image encoding';
COMMENT ON COLUMN mapping.config IS 'The mapping part of the configuration file, without connections and secrets';
COMMENT ON COLUMN mapping.layout IS 'Source tables and columns in the order of the images, with the target column types';
COMMENT ON COLUMN mapping.created_at IS 'When this mapping first ran';

CREATE TABLE checkpoint (
    pipeline     integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    lane         integer NOT NULL,
    epoch        bigint NOT NULL,
    lsn          pg_lsn NOT NULL,
    seq          bigint NOT NULL DEFAULT 0,
    patches      bigint NOT NULL DEFAULT 0,
    rows_applied bigint NOT NULL DEFAULT 0,
    conflicts    bigint NOT NULL DEFAULT 0,
    late         bigint NOT NULL DEFAULT 0,
    mirror       bigint NOT NULL DEFAULT 0,
    merged       bigint NOT NULL DEFAULT 0,
    handed_over  bigint NOT NULL DEFAULT 0,
    held         bigint NOT NULL DEFAULT 0,
    ended        bigint NOT NULL DEFAULT 0,
    commit_time  timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pipeline, lane)
) WITH (fillfactor = 50);
COMMENT ON TABLE checkpoint IS 'One row for each lane: everything up to here is durable in this database';
COMMENT ON COLUMN checkpoint.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN checkpoint.lane IS 'Number of the lane';
COMMENT ON COLUMN checkpoint.epoch IS 'The daemon that owns the lane; a write under another epoch changes nothing';
COMMENT ON COLUMN checkpoint.lsn IS 'Position in the source log';
COMMENT ON COLUMN checkpoint.seq IS 'Changes done of the transaction that commits at lsn; 0 means a border between transactions';
COMMENT ON COLUMN checkpoint.patches IS 'Patches committed by this lane';
COMMENT ON COLUMN checkpoint.rows_applied IS 'Target rows written or deleted by this lane';
COMMENT ON COLUMN checkpoint.conflicts IS 'Guards that did not match';
COMMENT ON COLUMN checkpoint.late IS 'Source changes to carts that the new backend had finished with';
COMMENT ON COLUMN checkpoint.mirror IS 'Carts that this lane brought into the state mirror, less those that it took out of it; the sum over all lanes is the number in the ledger';
COMMENT ON COLUMN checkpoint.merged IS 'The same of the state merged';
COMMENT ON COLUMN checkpoint.handed_over IS 'The same of the state handed_over';
COMMENT ON COLUMN checkpoint.held IS 'The same of the state held';
COMMENT ON COLUMN checkpoint.ended IS 'The same of the state ended';
COMMENT ON COLUMN checkpoint.commit_time IS 'Commit time of the last source transaction applied';
COMMENT ON COLUMN checkpoint.updated_at IS 'When the lane last committed';

CREATE TABLE ledger (
    pipeline  integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    cart      text NOT NULL,
    state     text NOT NULL,
    lsn       pg_lsn NOT NULL,
    seq       bigint NOT NULL DEFAULT 0,
    mapping   integer NOT NULL,
    patches   bigint NOT NULL DEFAULT 0,
    refreshed pg_lsn,
    image     bytea NOT NULL,
    tokens    bytea,
    shareable bigint[],
    PRIMARY KEY (pipeline, cart)
) WITH (fillfactor = 70);
ALTER TABLE ledger ALTER COLUMN image SET STORAGE EXTERNAL;
CREATE INDEX ledger_shareable ON ledger USING gin (shareable) WHERE shareable IS NOT NULL;
COMMENT ON TABLE ledger IS 'One row for each cart that cartage knows';
COMMENT ON COLUMN ledger.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN ledger.cart IS 'Cart key; several columns are joined by |';
COMMENT ON COLUMN ledger.state IS 'mirror, merged, handed_over, held, ended';
COMMENT ON COLUMN ledger.lsn IS 'Source changes up to here are in the image (or in held.pending)';
COMMENT ON COLUMN ledger.seq IS 'Change number inside the transaction that commits at lsn';
COMMENT ON COLUMN ledger.mapping IS 'The mapping that made the target rows (mapping.id)';
COMMENT ON COLUMN ledger.patches IS 'Patches of this cart committed since its header row was inserted';
COMMENT ON COLUMN ledger.refreshed IS 'Position at which the cart was last read whole from the source';
COMMENT ON COLUMN ledger.image IS 'The source rows that the target rows were made from (binary)';
COMMENT ON COLUMN ledger.tokens IS 'Lock tokens that cartage last left on the target rows (binary)';
COMMENT ON COLUMN ledger.shareable IS 'Numbers of those target rows of the cart that by their keys could be another cart''s too; null if there are none';

CREATE TABLE held (
    pipeline integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    cart     text NOT NULL,
    unit     text,
    reason   text NOT NULL,
    message  text NOT NULL,
    pending  bytea NOT NULL,
    base     jsonb,
    ours     jsonb,
    theirs   jsonb,
    attempts integer NOT NULL DEFAULT 1,
    since    timestamptz NOT NULL DEFAULT now(),
    retry_at timestamptz,
    PRIMARY KEY (pipeline, cart)
);
COMMENT ON TABLE held IS 'Carts that could not be applied, with all that is needed to apply them later';
COMMENT ON COLUMN held.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN held.cart IS 'Cart key';
COMMENT ON COLUMN held.unit IS 'Carts with the same unit are held and released together';
COMMENT ON COLUMN held.reason IS 'conflict, constraint, unmappable';
COMMENT ON COLUMN held.message IS 'What failed and on which object, without cell values';
COMMENT ON COLUMN held.pending IS 'The image that the cart should be brought to (binary)';
COMMENT ON COLUMN held.base IS 'Target rows as cartage last wrote them; shop data';
COMMENT ON COLUMN held.ours IS 'Target rows as the source wants them; shop data';
COMMENT ON COLUMN held.theirs IS 'Target rows as they were found; shop data';
COMMENT ON COLUMN held.attempts IS 'How often it was tried';
COMMENT ON COLUMN held.since IS 'When it was first set aside';
COMMENT ON COLUMN held.retry_at IS 'When it is tried again; null waits for held retry';

CREATE TABLE wish (
    pipeline integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    cart     text NOT NULL,
    reason   text NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pipeline, cart)
);
COMMENT ON TABLE wish IS 'Carts that must be read again from the source';
COMMENT ON COLUMN wish.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN wish.cart IS 'Cart key';
COMMENT ON COLUMN wish.reason IS 'Why: became_live, born_unproved, arrival, toast, owner, mapping, asked';
COMMENT ON COLUMN wish.since IS 'When it was first wished';

CREATE TABLE refresh_run (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline    integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    kind        text NOT NULL,
    stage       text NOT NULL DEFAULT 'read',
    start_lsn   pg_lsn NOT NULL,
    cursor      text,
    carts_done  bigint NOT NULL DEFAULT 0,
    carts_total bigint,
    rows_done   bigint NOT NULL DEFAULT 0,
    waiting     text,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
COMMENT ON TABLE refresh_run IS 'Backfills and other walks over all carts, resumable at their last chunk';
COMMENT ON COLUMN refresh_run.id IS 'Identifier';
COMMENT ON COLUMN refresh_run.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN refresh_run.kind IS 'backfill, all, mapping';
COMMENT ON COLUMN refresh_run.stage IS 'read (carts of the source), then sweep (carts of the ledger that were not met)';
COMMENT ON COLUMN refresh_run.start_lsn IS 'Source position when it began';
COMMENT ON COLUMN refresh_run.cursor IS 'Cart key after which it goes on';
COMMENT ON COLUMN refresh_run.carts_done IS 'Carts done';
COMMENT ON COLUMN refresh_run.carts_total IS 'Carts to do, as estimated at the start';
COMMENT ON COLUMN refresh_run.rows_done IS 'Source rows read';
COMMENT ON COLUMN refresh_run.waiting IS 'Why it waits, while it waits';
COMMENT ON COLUMN refresh_run.started_at IS 'When it began';
COMMENT ON COLUMN refresh_run.finished_at IS 'When it was done; null while it runs';

CREATE TABLE conflict (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    cart     text NOT NULL,
    kind     text NOT NULL,
    lsn      pg_lsn NOT NULL,
    base     jsonb,
    ours     jsonb,
    theirs   jsonb,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conflict_cart ON conflict (pipeline, cart);
COMMENT ON TABLE conflict IS 'What happened where the new backend had written the same cart';
COMMENT ON COLUMN conflict.id IS 'Identifier';
COMMENT ON COLUMN conflict.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN conflict.cart IS 'Cart key';
COMMENT ON COLUMN conflict.kind IS 'held, late (a source write to a cart that the new backend has finished with), source_end';
COMMENT ON COLUMN conflict.lsn IS 'Source position of the change';
COMMENT ON COLUMN conflict.base IS 'Target rows as cartage last wrote them; shop data';
COMMENT ON COLUMN conflict.ours IS 'Target rows as the source wants them; shop data';
COMMENT ON COLUMN conflict.theirs IS 'Target rows as they were found; shop data';
COMMENT ON COLUMN conflict.at IS 'When it was recorded';
