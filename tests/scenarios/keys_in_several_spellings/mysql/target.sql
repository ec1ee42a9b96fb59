CREATE TABLE cart (cart_id VARCHAR(80) COLLATE utf8mb4_bin PRIMARY KEY, email VARCHAR(120), line_count BIGINT NOT NULL);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY, cart_id VARCHAR(80) COLLATE utf8mb4_bin NOT NULL, sku VARCHAR(120) NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
