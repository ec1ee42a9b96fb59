-- $CARTS carts of three lines each.
INSERT INTO cart (token, customer_id, currency, status)
    SELECT gen_random_uuid(), (random() * 50000)::bigint, 'EUR', 'open' FROM generate_series(1, $CARTS);
INSERT INTO cart_item (cart_id, sku, qty, unit_price)
    SELECT c.id, 'SKU-' || lpad(((c.id * 7 + i * 1009) % 5000)::text, 6, '0'),
           1 + (random() * 4)::int, round((random() * 100)::numeric, 2)
    FROM cart c, generate_series(0, 2) i;
VACUUM ANALYZE cart;
VACUUM ANALYZE cart_item;
