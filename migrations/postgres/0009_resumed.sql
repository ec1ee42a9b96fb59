-- What a verification that goes on where it was cut short must not have forgotten.

ALTER TABLE verify_run
    ADD COLUMN written bigint NOT NULL DEFAULT 0,
    ADD COLUMN findings jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN verify_run.written IS 'Carts that the new backend has written since, and that differ for that alone';
COMMENT ON COLUMN verify_run.findings IS 'How many carts each finding beside rows was made of, as verify --json counts them';
COMMENT ON COLUMN verify_cart.verdict IS 'missing, extra, different, pending, held, asked (a run of few carts has still to look at it), parked (it is to be looked at again before the run counts it)';

-- Which carts they looked at was not kept.
UPDATE verify_run SET stage = 'given_up', waiting = NULL, finished_at = now()
WHERE kind IN ('carts', 'sample') AND finished_at IS NULL;
