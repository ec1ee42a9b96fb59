CREATE TABLE oc_cart (
    cart_id integer PRIMARY KEY,
    store_id integer NOT NULL DEFAULT 0,
    customer_id integer DEFAULT 0,
    session_id varchar(32),
    product_id integer NOT NULL,
    quantity integer NOT NULL,
    date_added timestamp(0) NOT NULL
);
CREATE INDEX ON oc_cart (store_id, customer_id, session_id);
ALTER TABLE oc_cart REPLICA IDENTITY FULL;
INSERT INTO oc_cart SELECT n * 10 + k, n % 2, n, 's' || n, k, k, timestamp '2026-01-01' + n * interval '1 day' FROM generate_series(1, 120) n, generate_series(1, 3) k;
INSERT INTO oc_cart SELECT n * 10 + k, 0, 0, 'g' || n, k, k, timestamp '2026-01-01' + (n - 200) * interval '1 day' FROM generate_series(201, 320) n, generate_series(1, 2) k;
INSERT INTO oc_cart VALUES (9001, 0, 0, NULL, 1, 1, '2026-01-01'), (9002, 0, NULL, 'nobody', 1, 1, '2026-01-01');
