CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(60), version INT NOT NULL);
CREATE TABLE cart_line (
    id VARCHAR(60) PRIMARY KEY, cart_id INT NOT NULL, product VARCHAR(60) NOT NULL, quantity INT NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
CREATE TABLE cart_extra (
    id VARCHAR(60) PRIMARY KEY, cart_id INT NOT NULL, name VARCHAR(60), pieces INT,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
