CREATE TABLE basket (id_cart INT PRIMARY KEY, email VARCHAR(120));
CREATE TABLE cart_product (
    id_cart INT NOT NULL,
    id_product INT NOT NULL,
    id_attribute INT NOT NULL,
    id_address INT NOT NULL,
    quantity INT NOT NULL,
    PRIMARY KEY (id_cart, id_product, id_attribute, id_address)
);
INSERT INTO basket
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, 'c' || n FROM numbers;
INSERT INTO cart_product SELECT id_cart, p, 0, a, p * a FROM basket, (SELECT 1 AS p UNION ALL SELECT 2) products, (SELECT 1 AS a UNION ALL SELECT 2) addresses;
