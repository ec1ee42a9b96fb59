CREATE TABLE basket (id_cart integer PRIMARY KEY, email text, extras jsonb);
CREATE TABLE cart_product (
    id_cart integer NOT NULL, id_product integer NOT NULL, id_attribute integer NOT NULL, quantity integer NOT NULL,
    PRIMARY KEY (id_cart, id_product, id_attribute)
);
INSERT INTO basket SELECT n, 'c' || n, '{"wrap": {"name": "wrapping", "pieces": 1}, "card": {"name": "greetings", "pieces": 2}}' FROM generate_series(1, 60) n;
INSERT INTO cart_product SELECT n, p, a, p * a FROM generate_series(1, 60) n, generate_series(1, 2) p, generate_series(0, 2) a;
