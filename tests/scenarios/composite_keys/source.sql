CREATE TABLE basket (store integer, session text, note text, PRIMARY KEY (store, session));
CREATE TABLE basket_item (
    store integer,
    session text,
    position integer,
    sku text NOT NULL,
    qty integer NOT NULL,
    PRIMARY KEY (store, session, position),
    FOREIGN KEY (store, session) REFERENCES basket ON DELETE CASCADE
);
INSERT INTO basket SELECT s, 'a|b\' || n, 'note ' || n FROM generate_series(1, 3) s, generate_series(1, 50) n;
INSERT INTO basket_item SELECT store, session, p, 'sku-' || p, p FROM basket, generate_series(1, 3) p;
