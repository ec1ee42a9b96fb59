-- The new shop on MySQL or MariaDB.
CREATE TABLE cart (
    id BIGINT PRIMARY KEY, email VARCHAR(60), counter INT NOT NULL, pieces INT NOT NULL,
    total DECIMAL(20,4) NOT NULL, version INT NOT NULL DEFAULT 1
) ENGINE = InnoDB;
CREATE TABLE line (
    id BIGINT PRIMARY KEY, cart_id BIGINT NOT NULL, sku VARCHAR(40) NOT NULL, qty INT NOT NULL,
    price DECIMAL(14,4) NOT NULL, FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB;
