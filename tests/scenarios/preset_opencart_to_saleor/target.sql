-- platform saleor
INSERT INTO channel_channel (name, is_active, slug, currency_code, default_country) VALUES ('Outlet', true, 'outlet', 'EUR', 'DE'), ('Main', true, 'default-channel', 'USD', 'US');
INSERT INTO account_user (email, is_active, uuid) SELECT 'customer' || n || '@example.org', true, gen_random_uuid() FROM generate_series(1, 25) n WHERE n % 5 <> 0;
INSERT INTO product_product (name) VALUES ('Thing');
INSERT INTO product_productvariant (sku, name, product_id) SELECT CASE n % 3 WHEN 0 THEN 'Model ' || n ELSE 'SKU-' || n END, 'Variant ' || n, 1 FROM generate_series(12, 1, -1) n;
