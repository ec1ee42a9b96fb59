-- The old shop of docs/tutorial.md: a small one, written by hand years ago.
CREATE TABLE basket (
    basket_id      bigint PRIMARY KEY,
    customer_email text,
    currency       varchar(3) NOT NULL DEFAULT 'EUR',
    guest_token    varchar(40),
    is_active      boolean NOT NULL DEFAULT true,
    gift_message   text,
    date_add       timestamptz NOT NULL DEFAULT now(),
    date_upd       timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE basket_item (
    item_id   bigint PRIMARY KEY,
    basket_id bigint NOT NULL REFERENCES basket ON DELETE CASCADE,
    sku       varchar(60) NOT NULL,
    qty       numeric(12,4) NOT NULL,
    price     numeric(12,4) NOT NULL
);
CREATE INDEX ON basket_item (basket_id);
ALTER TABLE basket_item REPLICA IDENTITY FULL;
CREATE TABLE basket_log (
    log_id    bigint PRIMARY KEY,
    basket_id bigint NOT NULL REFERENCES basket ON DELETE CASCADE,
    what      text
);

INSERT INTO basket (basket_id, customer_email, guest_token, is_active, gift_message) VALUES
    (1, 'Ada@Example.org', NULL, true, 'Happy birthday'),
    (2, NULL, 'b71e0c', true, NULL),
    (3, 'bob@example.org', NULL, false, NULL);
INSERT INTO basket_item VALUES
    (11, 1, 'TEA-100', 2, 4.5),
    (12, 1, 'CUP-BLUE', 1, 12),
    (21, 2, 'TEA-100', 1, 4.5),
    (31, 3, 'POT-1', 1, 30);
