CREATE TABLE basket (
    id VARCHAR(40) COLLATE utf8mb4_bin PRIMARY KEY,
    reference BIGINT NOT NULL UNIQUE,
    currency VARCHAR(3) NOT NULL,
    items INT NOT NULL,
    pieces INT NOT NULL,
    total_minor BIGINT NOT NULL,
    version INT NOT NULL
);
CREATE TABLE basket_item (
    id VARCHAR(40) COLLATE utf8mb4_bin PRIMARY KEY,
    basket_id VARCHAR(40) COLLATE utf8mb4_bin NOT NULL,
    reference BIGINT NOT NULL UNIQUE,
    sku VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    unit_minor BIGINT NOT NULL,
    FOREIGN KEY (basket_id) REFERENCES basket (id)
);
