CREATE TABLE basket (id_cart INT PRIMARY KEY, email VARCHAR(60), extras JSON);
CREATE TABLE cart_product (
    id_cart INT NOT NULL, id_product INT NOT NULL, id_attribute INT NOT NULL, quantity INT NOT NULL,
    PRIMARY KEY (id_cart, id_product, id_attribute)
);
INSERT INTO basket
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 60)
SELECT n, 'c' || n, '{"wrap": {"name": "wrapping", "pieces": 1}, "card": {"name": "greetings", "pieces": 2}}' FROM numbers;
INSERT INTO cart_product SELECT id_cart, p, a, p * a FROM basket, (SELECT 1 AS p UNION ALL SELECT 2) products, (SELECT 0 AS a UNION ALL SELECT 1 UNION ALL SELECT 2) attributes;
