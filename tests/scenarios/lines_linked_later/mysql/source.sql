CREATE TABLE shop_order (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL, active BOOLEAN NOT NULL);
CREATE TABLE order_line (id INT PRIMARY KEY, order_id INT, quantity INT NOT NULL, KEY (order_id));
CREATE TABLE surcharge (id INT PRIMARY KEY, order_id INT, amount INT NOT NULL, KEY (order_id));
CREATE TABLE adjustment (id INT PRIMARY KEY, line_id INT NOT NULL, amount INT NOT NULL, KEY (line_id));
INSERT INTO shop_order
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 80)
SELECT n, concat('code', n), true FROM numbers;
INSERT INTO order_line SELECT id * 10, id, 1 FROM shop_order;
INSERT INTO adjustment SELECT id * 10, id * 10, id FROM shop_order;
INSERT INTO surcharge SELECT id * 1000, id, id FROM shop_order;
