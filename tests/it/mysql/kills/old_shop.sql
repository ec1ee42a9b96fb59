-- The old shop that is killed around. `touched` is a column that no expression reads.
CREATE TABLE quote (
    id BIGINT UNSIGNED PRIMARY KEY, seller INT NOT NULL, status VARCHAR(10) NOT NULL DEFAULT 'cart',
    email VARCHAR(60), counter INT NOT NULL DEFAULT 0, touched INT NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE quote_item (
    id BIGINT UNSIGNED PRIMARY KEY, quote_id BIGINT UNSIGNED NOT NULL, sku VARCHAR(40) NOT NULL,
    qty INT NOT NULL, price DECIMAL(12,3) NOT NULL, KEY (quote_id),
    FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE detail (
    id BIGINT UNSIGNED PRIMARY KEY, item_id BIGINT UNSIGNED NOT NULL, name VARCHAR(20) NOT NULL,
    value VARCHAR(40) NOT NULL, KEY (item_id),
    FOREIGN KEY (item_id) REFERENCES quote_item (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
