CREATE TABLE basket (store INT, session VARCHAR(80) COLLATE utf8mb4_bin, note TEXT, PRIMARY KEY (store, session));
CREATE TABLE basket_item (
    store INT,
    session VARCHAR(80) COLLATE utf8mb4_bin,
    position INT,
    sku VARCHAR(60) NOT NULL,
    qty INT NOT NULL,
    PRIMARY KEY (store, session, position),
    FOREIGN KEY (store, session) REFERENCES basket (store, session) ON DELETE CASCADE
);
INSERT INTO basket
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 50)
SELECT k, 'a|b\' || n, 'note ' || n FROM numbers, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
INSERT INTO basket_item SELECT store, session, k, 'sku-' || k, k FROM basket, (SELECT 1 AS k UNION ALL SELECT 2 UNION ALL SELECT 3) three;
