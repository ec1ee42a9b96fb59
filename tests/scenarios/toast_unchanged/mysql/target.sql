CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(120), payload TEXT);
CREATE TABLE line (
    id INT PRIMARY KEY, cart_id INT NOT NULL, sku VARCHAR(60) NOT NULL, configuration MEDIUMTEXT,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
