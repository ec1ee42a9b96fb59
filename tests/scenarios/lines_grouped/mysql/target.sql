CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(60));
CREATE TABLE cart_line (
    id VARCHAR(60) PRIMARY KEY,
    cart_id INT NOT NULL,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    parts INT NOT NULL,
    address INT NOT NULL,
    email VARCHAR(60),
    deleted_at TIMESTAMP(6) NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
