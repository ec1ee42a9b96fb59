CREATE TABLE cart_address (id VARCHAR(60) PRIMARY KEY, street VARCHAR(200));
CREATE TABLE cart (
    id VARCHAR(60) PRIMARY KEY,
    email VARCHAR(120),
    shipping_address_id VARCHAR(60),
    billing_address_id VARCHAR(60),
    FOREIGN KEY (shipping_address_id) REFERENCES cart_address (id),
    FOREIGN KEY (billing_address_id) REFERENCES cart_address (id)
);
CREATE TABLE cart_line (
    id VARCHAR(60) PRIMARY KEY, cart_id VARCHAR(60) NOT NULL, product VARCHAR(60) NOT NULL, quantity INT NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
