-- Carts that were mapped although a lookup found nothing, and that are asked for again.

ALTER TABLE ledger ADD COLUMN asked_at timestamptz;
CREATE INDEX ledger_unanswered ON ledger (pipeline, asked_at) WHERE asked_at IS NOT NULL;
COMMENT ON COLUMN ledger.asked_at IS 'When a lookup that found nothing for this cart was last asked for it; null where all found something';
