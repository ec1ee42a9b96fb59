-- platform medusa2
INSERT INTO region VALUES ('reg_europe', 'Europe', 'eur', NULL), ('reg_america', 'America', 'usd', NULL);
INSERT INTO sales_channel VALUES ('sc_web', 'The web', NULL);
-- Not everybody has moved yet; some have also bought as guests.
INSERT INTO customer SELECT 'cus_' || n, 'customer' || n || '@example.org', true, NULL FROM generate_series(1, 22) n WHERE n % 5 <> 0;
INSERT INTO customer SELECT 'cus_guest_' || n, 'customer' || n || '@example.org', false, NULL FROM generate_series(1, 10) n;
INSERT INTO customer VALUES ('cus_gone', 'customer1@example.org', true, now());
INSERT INTO product (id, title, handle, subtitle, description, thumbnail)
SELECT 'prod_' || p, initcap(p), p, 'Sub ' || p, 'About ' || p, '/' || p || '.jpg' FROM unnest(ARRAY['mug', 'shirt', 'cloth']) p;
INSERT INTO product_variant SELECT 'variant_mug_' || n, 'Mug no. ' || n, 'MUG-' || n, 'bar' || n, 'prod_mug', NULL FROM generate_series(1, 12) n;
INSERT INTO product_variant VALUES
    ('variant_s', 'Small', 'SHIRT-S', NULL, 'prod_shirt', NULL), ('variant_m', 'Middle', 'SHIRT-M', NULL, 'prod_shirt', NULL),
    ('variant_old', 'Old', 'SHIRT-S', NULL, 'prod_shirt', now()), ('variant_cloth', 'By the metre', 'CLOTH', NULL, 'prod_cloth', NULL);
