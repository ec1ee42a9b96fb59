CREATE TABLE cart (cart_id BIGINT PRIMARY KEY, customer_email VARCHAR(120), currency_code VARCHAR(3) NOT NULL, version INT NOT NULL);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    unit_price DECIMAL(10,2) NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
