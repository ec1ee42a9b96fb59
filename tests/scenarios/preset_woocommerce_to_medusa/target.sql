-- platform medusa2
INSERT INTO region VALUES ('reg_europe', 'Europe', 'eur', NULL);
INSERT INTO sales_channel VALUES ('sc_web', 'The web', NULL);
INSERT INTO customer SELECT 'cus_' || n, 'user' || n || '@example.org', true, NULL FROM generate_series(1, 25) n WHERE n % 4 <> 0;
INSERT INTO product (id, title, handle) SELECT 'prod_' || p, initcap(p), p FROM unnest(ARRAY['mug', 'shirt', 'cloth']) p;
INSERT INTO product_variant VALUES
    ('variant_m', 'Middle', 'SHIRT-M', NULL, 'prod_shirt', NULL), ('variant_l', 'Large', 'SHIRT-L', NULL, 'prod_shirt', NULL),
    ('variant_1', 'White', 'MUG-1', NULL, 'prod_mug', NULL), ('variant_2', 'Black', 'MUG-2', NULL, 'prod_mug', NULL), ('variant_c', 'By the metre', 'CLOTH', NULL, 'prod_cloth', NULL);
