CREATE TABLE basket (
    id text PRIMARY KEY,
    reference bigint NOT NULL UNIQUE,
    currency text NOT NULL,
    items integer NOT NULL,
    pieces integer NOT NULL,
    total_minor bigint NOT NULL,
    version integer NOT NULL
);
CREATE TABLE basket_item (
    id text PRIMARY KEY,
    basket_id text NOT NULL REFERENCES basket,
    reference bigint NOT NULL UNIQUE,
    sku text NOT NULL,
    quantity integer NOT NULL,
    unit_minor bigint NOT NULL
);
