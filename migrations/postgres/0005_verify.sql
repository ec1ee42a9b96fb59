-- Verifications: how far each one is and what it found, and the carts that were last found otherwise
-- than equal.

CREATE TABLE verify_run (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline       integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    kind           text NOT NULL,
    by             text NOT NULL,
    asked          text,
    mapping        integer NOT NULL,
    start_lsn      pg_lsn NOT NULL,
    stage          text NOT NULL DEFAULT 'source',
    cursor         text,
    carts_total    bigint,
    carts_done     bigint NOT NULL DEFAULT 0,
    rows_done      bigint NOT NULL DEFAULT 0,
    equal          bigint NOT NULL DEFAULT 0,
    missing        bigint NOT NULL DEFAULT 0,
    extra          bigint NOT NULL DEFAULT 0,
    different      bigint NOT NULL DEFAULT 0,
    pending        bigint NOT NULL DEFAULT 0,
    held           bigint NOT NULL DEFAULT 0,
    merged         bigint NOT NULL DEFAULT 0,
    stale_lookups  bigint NOT NULL DEFAULT 0,
    worked_seconds double precision NOT NULL DEFAULT 0,
    waited_seconds double precision NOT NULL DEFAULT 0,
    waiting        text,
    started_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
CREATE INDEX verify_run_pipeline ON verify_run (pipeline, id);
COMMENT ON TABLE verify_run IS 'Verifications, resumable at their last chunk';
COMMENT ON COLUMN verify_run.id IS 'Identifier';
COMMENT ON COLUMN verify_run.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN verify_run.kind IS 'full, carts, sample, since';
COMMENT ON COLUMN verify_run.by IS 'command, daemon';
COMMENT ON COLUMN verify_run.asked IS 'How many carts for a sample, from when on for since (microseconds since 1970 UTC); else null';
COMMENT ON COLUMN verify_run.mapping IS 'The mapping by which it compares (mapping.id); 0 for one that the daemon has not applied';
COMMENT ON COLUMN verify_run.start_lsn IS 'Source position when it began';
COMMENT ON COLUMN verify_run.stage IS 'source (carts of the source), ledger (carts of the ledger that are not live in the source), done, given_up (a later one took its place)';
COMMENT ON COLUMN verify_run.cursor IS 'Cart key after which it goes on in its stage';
COMMENT ON COLUMN verify_run.carts_total IS 'Carts to look at, as estimated at the start';
COMMENT ON COLUMN verify_run.carts_done IS 'Carts looked at, those of the ledger that are live in the source left out';
COMMENT ON COLUMN verify_run.rows_done IS 'Source rows read';
COMMENT ON COLUMN verify_run.equal IS 'Carts that are in the target as they should be';
COMMENT ON COLUMN verify_run.missing IS 'Carts whose header row is not in the target';
COMMENT ON COLUMN verify_run.extra IS 'Carts with rows in the target that are no longer live in the source';
COMMENT ON COLUMN verify_run.different IS 'Carts that differ in a row or a value';
COMMENT ON COLUMN verify_run.pending IS 'Carts that have still to come, or kept changing while they were compared';
COMMENT ON COLUMN verify_run.held IS 'Carts that are set aside (held)';
COMMENT ON COLUMN verify_run.merged IS 'Carts that both sides have written';
COMMENT ON COLUMN verify_run.stale_lookups IS 'Carts that were mapped with answers of lookups that are others today';
COMMENT ON COLUMN verify_run.worked_seconds IS 'How long it has worked, over all its processes';
COMMENT ON COLUMN verify_run.waited_seconds IS 'How much of that it waited for its rate or for the source to be less busy';
COMMENT ON COLUMN verify_run.waiting IS 'Why it waits, while it waits';
COMMENT ON COLUMN verify_run.started_at IS 'When it began';
COMMENT ON COLUMN verify_run.updated_at IS 'When this row was last written: a run that works does so about each second';
COMMENT ON COLUMN verify_run.finished_at IS 'When it was done; null while it runs, or was cut short';

CREATE TABLE verify_cart (
    pipeline    integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    cart        text NOT NULL,
    run         integer NOT NULL,
    verdict     text NOT NULL,
    differences jsonb NOT NULL DEFAULT '[]',
    looked_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pipeline, cart)
);
COMMENT ON TABLE verify_cart IS 'Carts that were last found otherwise than equal; at most some ten thousand';
COMMENT ON COLUMN verify_cart.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN verify_cart.cart IS 'Cart key; several columns are joined by |';
COMMENT ON COLUMN verify_cart.run IS 'The verification that found it (verify_run.id)';
COMMENT ON COLUMN verify_cart.verdict IS 'missing, extra, different, pending, held, parked (it is to be looked at again before the run counts it)';
COMMENT ON COLUMN verify_cart.differences IS 'What differs, as verify --json has it; shop data';
COMMENT ON COLUMN verify_cart.looked_at IS 'When it was last looked at';
