-- The old shop. Of `quote_item` partitions come and go.
CREATE TABLE quote (
    id bigint PRIMARY KEY, status varchar(10) NOT NULL DEFAULT 'cart', email varchar(60),
    counter integer NOT NULL DEFAULT 0, touched integer NOT NULL DEFAULT 0
);
CREATE TABLE quote_item (
    id bigint PRIMARY KEY, quote_id bigint NOT NULL, sku varchar(40) NOT NULL, qty integer NOT NULL,
    price numeric(12,3) NOT NULL, note varchar(40)
) PARTITION BY RANGE (id);
CREATE TABLE quote_item_all PARTITION OF quote_item FOR VALUES FROM (0) TO (1000000);
CREATE INDEX ON quote_item (quote_id);
ALTER TABLE quote_item REPLICA IDENTITY FULL;
ALTER TABLE quote_item_all REPLICA IDENTITY FULL;
