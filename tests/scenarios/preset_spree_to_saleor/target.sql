-- platform saleor
INSERT INTO channel_channel (name, is_active, slug, currency_code, default_country) VALUES ('Main', true, 'default-channel', 'USD', 'US'), ('Outlet', true, 'outlet', 'EUR', 'DE');
INSERT INTO account_user (email, is_active, uuid) SELECT 'user' || n || '@example.org', true, gen_random_uuid() FROM generate_series(1, 22) n WHERE n % 5 <> 0;
INSERT INTO product_product (name) VALUES ('Mug'), ('Bag');
INSERT INTO product_productvariant (sku, name, product_id) SELECT 'SKU-' || n, 'Variant ' || n, 1 + n % 2 FROM generate_series(13, 1, -1) n;
