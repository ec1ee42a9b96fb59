-- Carts that were mapped although a lookup found nothing, and that are asked for again.

ALTER TABLE cartage_ledger
    ADD COLUMN asked_at timestamp(6) NULL COMMENT 'When a lookup that found nothing for this cart was last asked for it; null where all found something',
    ADD KEY ledger_unanswered (pipeline, asked_at);
