CREATE TABLE cart (cart_id BIGINT PRIMARY KEY, email VARCHAR(120), open BOOLEAN NOT NULL, version INT NOT NULL DEFAULT 1);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    product VARCHAR(60) NOT NULL,
    removed BOOLEAN NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
