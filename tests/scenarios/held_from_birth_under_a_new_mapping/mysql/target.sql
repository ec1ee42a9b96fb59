CREATE TABLE cart (cart_id BIGINT PRIMARY KEY, email VARCHAR(120), version INT NOT NULL DEFAULT 1);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    quantity INT NOT NULL CHECK (quantity < 1000),
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
