-- What a verification that goes on where it was cut short must not have forgotten.

ALTER TABLE cartage_verify_run
    ADD COLUMN written bigint NOT NULL DEFAULT 0 COMMENT 'Carts that the new backend has written since, and that differ for that alone',
    ADD COLUMN findings longtext COMMENT 'How many carts each finding beside rows was made of, as verify --json counts them (JSON)';

ALTER TABLE cartage_verify_cart
    MODIFY COLUMN verdict varchar(40) NOT NULL COMMENT 'missing, extra, different, pending, held, asked (a run of few carts has still to look at it), parked (it is to be looked at again before the run counts it)';

-- Which carts they looked at was not kept.
UPDATE cartage_verify_run SET stage = 'given_up', waiting = NULL, finished_at = CURRENT_TIMESTAMP(6)
WHERE kind IN ('carts', 'sample') AND finished_at IS NULL;
