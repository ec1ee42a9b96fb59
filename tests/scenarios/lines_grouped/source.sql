CREATE TABLE basket (id_cart integer PRIMARY KEY, email text);
CREATE TABLE cart_product (
    id_cart integer NOT NULL,
    id_product integer NOT NULL,
    id_attribute integer NOT NULL,
    id_address integer NOT NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (id_cart, id_product, id_attribute, id_address)
);
INSERT INTO basket SELECT n, 'c' || n FROM generate_series(1, 60) n;
INSERT INTO cart_product SELECT n, p, 0, a, p * a FROM generate_series(1, 60) n, generate_series(1, 2) p, generate_series(1, 2) a;
