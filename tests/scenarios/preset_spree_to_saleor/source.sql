-- platform spree
-- What `cartage check` asks for: Spree has no foreign keys, and a deleted line must name its order.
ALTER TABLE spree_line_items REPLICA IDENTITY FULL;
INSERT INTO spree_stores VALUES (1, 'main', 'shop.example', 'USD'), (2, 'outlet', 'outlet.example', 'EUR');
INSERT INTO spree_users SELECT n, CASE n % 2 WHEN 0 THEN 'User' ELSE 'user' END || n || '@example.org' FROM generate_series(1, 25) n;
INSERT INTO spree_countries VALUES (1, 'US', 'United States'), (2, 'DE', 'Germany'), (3, 'AT', 'Austria');
INSERT INTO spree_states VALUES (1, 1, 'NY', 'New York'), (2, 1, 'CA', 'California');
INSERT INTO spree_products VALUES (1, 'Mug', 'mug'), (2, 'Bag', 'bag');
INSERT INTO spree_variants (id, sku, product_id, created_at, updated_at) SELECT n, 'SKU-' || n, 1 + n % 2, now(), now() FROM generate_series(1, 12) n;
INSERT INTO spree_variants (id, sku, product_id, deleted_at, created_at, updated_at) VALUES (13, 'SKU-13', 1, now(), now(), now());
INSERT INTO spree_addresses (id, firstname, lastname, address1, address2, city, zipcode, phone, state_name, company, state_id, country_id, created_at, updated_at)
SELECT n, 'Ada', 'Number ' || n, n || ' High Street', CASE n % 2 WHEN 0 THEN 'Flat ' || n END, 'Town', '100' || n, CASE n % 5 WHEN 0 THEN NULL ELSE '0' || n END,
    CASE n % 3 WHEN 1 THEN 'Tyrol' END, NULL, CASE n % 3 WHEN 0 THEN 1 + n % 2 END, CASE n % 3 WHEN 0 THEN 1 WHEN 1 THEN 3 ELSE 2 END, now(), now()
FROM generate_series(1, 60) n;
-- 60 orders, of which the last ten are complete; the first 20 are of users.
INSERT INTO spree_orders (id, number, state, user_id, completed_at, bill_address_id, ship_address_id, email, special_instructions,
    created_at, updated_at, currency, token, store_id, public_metadata, private_metadata, locale, status)
SELECT n, 'R' || 100000000 + n, CASE WHEN n > 50 THEN 'complete' WHEN n % 3 = 0 THEN 'delivery' WHEN n % 7 = 0 THEN 'address' ELSE 'cart' END,
    CASE WHEN n <= 20 THEN n END, CASE WHEN n > 50 THEN timestamp '2026-02-01' END,
    CASE WHEN n % 3 = 0 THEN n END, CASE WHEN n % 6 = 0 THEN n WHEN n % 3 = 0 THEN n + 1 END,
    CASE WHEN n <= 20 THEN 'user' || n || '@example.org' END, CASE WHEN n % 5 = 0 THEN 'Ring twice' END,
    timestamp '2026-03-01 08:00' + n * interval '1 hour', timestamp '2026-03-10 20:15:01.5' + n * interval '1 minute',
    CASE WHEN n % 10 = 9 THEN NULL WHEN n % 2 = 0 THEN 'USD' ELSE 'EUR' END, md5('token ' || n) || 'abc', 1 + n % 2,
    CASE WHEN n % 4 = 0 THEN jsonb_build_object('gift', 'yes') END, CASE WHEN n % 8 = 0 THEN '{"source": "mobile"}'::jsonb END,
    CASE n % 3 WHEN 0 THEN 'de-AT' WHEN 1 THEN 'en' END, CASE WHEN n > 50 THEN 'placed' ELSE 'draft' END
FROM generate_series(1, 60) n;
INSERT INTO spree_line_items (id, variant_id, order_id, quantity, price, created_at, updated_at, currency, public_metadata)
SELECT n * 10 + k, 1 + (n + k) % 12, n, 1 + (n + k) % 3, 9.95 + n, timestamp '2026-03-01 08:00', timestamp '2026-03-01 08:00',
    CASE k WHEN 1 THEN CASE WHEN n % 2 = 0 THEN 'USD' ELSE 'EUR' END END, CASE WHEN n % 4 = 0 THEN jsonb_build_object('engraving', n) END
FROM generate_series(1, 60) n, generate_series(1, 2) k;
