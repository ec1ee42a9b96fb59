CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(120), deleted_at TIMESTAMP(6) NULL);
CREATE TABLE cart_line (
    id VARCHAR(40) PRIMARY KEY,
    cart_id INT NOT NULL,
    sku VARCHAR(40) NOT NULL,
    quantity INT NOT NULL,
    price DECIMAL(10,2) NOT NULL,
    deleted_at TIMESTAMP(6) NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
CREATE TABLE cart_note (
    id VARCHAR(40) PRIMARY KEY, cart_id INT NOT NULL, note VARCHAR(120), source JSON NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
