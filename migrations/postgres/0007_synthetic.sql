-- Synthetic carts: written down before the first of their rows is made in the old database.

CREATE TABLE synthetic (
    pipeline       integer NOT NULL REFERENCES pipeline ON DELETE CASCADE,
    n              bigint NOT NULL,
    made_by        text NOT NULL,
    step           text NOT NULL,
    plan           text NOT NULL,
    cart           text,
    known          text NOT NULL,
    made_at        timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz,
    create_seconds double precision,
    change_seconds double precision,
    remove_seconds double precision,
    failure        text,
    PRIMARY KEY (pipeline, n)
);
COMMENT ON TABLE synthetic IS 'Synthetic carts: those whose rows may be in the old database, and the last hundred that are gone';
COMMENT ON COLUMN synthetic.pipeline IS 'The pipeline (pipeline.id)';
COMMENT ON COLUMN synthetic.n IS 'Its number; its mark is cartage-<name of the pipeline>-<n>';
COMMENT ON COLUMN synthetic.made_by IS 'daemon, or command (cartage synthetic run)';
COMMENT ON COLUMN synthetic.step IS 'begun (its rows may be there or not), made (they are there), gone (they are not)';
COMMENT ON COLUMN synthetic.plan IS 'The tables and columns by which its rows are found (JSON)';
COMMENT ON COLUMN synthetic.cart IS 'Cart key; null where it was not made';
COMMENT ON COLUMN synthetic.known IS 'Keys that the old database gave to its rows (JSON)';
COMMENT ON COLUMN synthetic.made_at IS 'When it was begun';
COMMENT ON COLUMN synthetic.finished_at IS 'When its rows were gone from the old database';
COMMENT ON COLUMN synthetic.create_seconds IS 'From the commit that made it until it was in the target';
COMMENT ON COLUMN synthetic.change_seconds IS 'The same of the change';
COMMENT ON COLUMN synthetic.remove_seconds IS 'The same of the removal';
COMMENT ON COLUMN synthetic.failure IS 'What did not go as it should; null if all did';
