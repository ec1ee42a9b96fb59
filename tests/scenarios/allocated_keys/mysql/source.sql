CREATE TABLE basket (id bigint PRIMARY KEY, follows bigint, customer varchar(40));
CREATE TABLE basket_line (
    basket_id bigint NOT NULL, place varchar(20) COLLATE utf8mb4_bin NOT NULL,
    sku varchar(40) NOT NULL, qty integer NOT NULL, PRIMARY KEY (basket_id, place),
    FOREIGN KEY (basket_id) REFERENCES basket (id)
);
CREATE TABLE line_note (
    id integer PRIMARY KEY, basket_id bigint NOT NULL, place varchar(20) COLLATE utf8mb4_bin NOT NULL,
    note varchar(40), FOREIGN KEY (basket_id, place) REFERENCES basket_line (basket_id, place)
);
CREATE TABLE numbers AS
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 120) SELECT n FROM numbers;
INSERT INTO basket SELECT n, NULL, concat('c', n) FROM numbers;
UPDATE basket SET follows = id - 1 WHERE id % 4 = 0;
INSERT INTO basket_line SELECT n, 'a', concat('s', n), n % 5 + 1 FROM numbers;
INSERT INTO basket_line SELECT n, 'b', concat('s', n * 2), n % 5 + 1 FROM numbers;
INSERT INTO basket_line SELECT n, 'c', concat('s', n * 3), n % 5 + 1 FROM numbers;
INSERT INTO line_note SELECT n, n, 'b', concat('note ', n) FROM numbers WHERE n % 3 = 1;
DROP TABLE numbers;
