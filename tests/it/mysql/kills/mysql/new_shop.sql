-- The new shop on MySQL or MariaDB. It refuses more than 999 pieces on a line.
CREATE TABLE cart (
    id BIGINT PRIMARY KEY, email VARCHAR(60), counter INT NOT NULL, pieces INT NOT NULL,
    total DECIMAL(20,3) NOT NULL, version INT NOT NULL DEFAULT 1, completed_at DATETIME(6)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE line (
    id BIGINT PRIMARY KEY, cart_id BIGINT NOT NULL, sku VARCHAR(40) NOT NULL,
    qty INT NOT NULL CHECK (qty < 1000), price DECIMAL(12,3) NOT NULL, details JSON,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
