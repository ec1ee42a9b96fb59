-- Repairs of carts that drifted: who asked for which, what became of each, and the rows before and after.

CREATE TABLE repair_run (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline        integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    asked_by        text NOT NULL,
    take_source     boolean NOT NULL DEFAULT false,
    restore_deleted boolean NOT NULL DEFAULT false,
    started_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz
);
CREATE INDEX repair_run_pipeline ON repair_run (pipeline, id);
COMMENT ON TABLE repair_run IS 'Repairs of carts whose target rows were changed behind cartage''s back';
COMMENT ON COLUMN repair_run.id IS 'Identifier';
COMMENT ON COLUMN repair_run.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN repair_run.asked_by IS 'command, daemon';
COMMENT ON COLUMN repair_run.take_source IS 'The source''s rows are written over what the new backend wrote, too';
COMMENT ON COLUMN repair_run.restore_deleted IS 'A cart whose header row is gone is put back while it is live in the source';
COMMENT ON COLUMN repair_run.started_at IS 'When it was asked for';
COMMENT ON COLUMN repair_run.finished_at IS 'When the last of its carts was done; null until then';

CREATE TABLE repair_cart (
    run         integer NOT NULL REFERENCES repair_run ON DELETE CASCADE,
    cart        text NOT NULL,
    state       text NOT NULL DEFAULT 'asked',
    rows_before jsonb,
    rows_after  jsonb,
    note        text,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    done_at     timestamptz,
    PRIMARY KEY (run, cart)
);
CREATE INDEX repair_cart_asked ON repair_cart (asked_at) WHERE state = 'asked';
COMMENT ON TABLE repair_cart IS 'The carts of each repair';
COMMENT ON COLUMN repair_cart.run IS 'The repair (repair_run.id)';
COMMENT ON COLUMN repair_cart.cart IS 'Cart key; several columns are joined by |';
COMMENT ON COLUMN repair_cart.state IS 'asked, repaired, nothing (it was as it should be), merged (the new backend had written it), refused, undone';
COMMENT ON COLUMN repair_cart.rows_before IS 'Its target rows as they were found: table, key, lock token and the whole row; shop data';
COMMENT ON COLUMN repair_cart.rows_after IS 'The same rows as the repair left them; null where nothing was written';
COMMENT ON COLUMN repair_cart.note IS 'What was done, or why not';
COMMENT ON COLUMN repair_cart.asked_at IS 'When it was asked for';
COMMENT ON COLUMN repair_cart.done_at IS 'When it was done or refused';
