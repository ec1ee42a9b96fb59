CREATE TABLE cart (
    cart_id BIGINT PRIMARY KEY,
    customer_email VARCHAR(120),
    currency_code VARCHAR(3) NOT NULL,
    first_email VARCHAR(120),
    email_domain VARCHAR(120) GENERATED ALWAYS AS (substring_index(customer_email, '@', -1)) STORED,
    note VARCHAR(60) DEFAULT 'ours'
);
CREATE TABLE cart_line (
    sequence BIGINT NOT NULL AUTO_INCREMENT UNIQUE,
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    unit_price DECIMAL(10,2) NOT NULL,
    total DECIMAL(20,2) GENERATED ALWAYS AS (quantity * unit_price) VIRTUAL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);
