CREATE TABLE cart (
    cart_id BIGINT PRIMARY KEY,
    customer_email VARCHAR(120),
    currency_code VARCHAR(3) NOT NULL,
    state VARCHAR(20) NOT NULL,
    completed_at TIMESTAMP(6) NULL,
    deleted_at TIMESTAMP(6) NULL
);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    unit_price DECIMAL(10,2) NOT NULL,
    deleted_at TIMESTAMP(6) NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
