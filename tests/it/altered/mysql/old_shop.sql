-- The old shop on MySQL or MariaDB.
CREATE TABLE quote (
    id BIGINT PRIMARY KEY, status VARCHAR(10) NOT NULL DEFAULT 'cart', email VARCHAR(60),
    counter INT NOT NULL DEFAULT 0, touched INT NOT NULL DEFAULT 0
) ENGINE = InnoDB;
CREATE TABLE quote_item (
    id BIGINT PRIMARY KEY, quote_id BIGINT NOT NULL, sku VARCHAR(40) NOT NULL, qty INT NOT NULL,
    price DECIMAL(12,3) NOT NULL, note VARCHAR(40), KEY (quote_id)
) ENGINE = InnoDB;
