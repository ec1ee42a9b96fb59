CREATE TABLE cart (id INT PRIMARY KEY, email VARCHAR(120));
CREATE TABLE cart_item (id INT PRIMARY KEY, cart_id INT NOT NULL, sku VARCHAR(60) NOT NULL, FOREIGN KEY (cart_id) REFERENCES cart (id));
CREATE TABLE cart_option (
    id INT PRIMARY KEY, item_id INT NOT NULL, label TEXT NOT NULL, item_sku VARCHAR(60) NOT NULL,
    FOREIGN KEY (item_id) REFERENCES cart_item (id)
);
CREATE TABLE cart_file (
    id INT PRIMARY KEY, option_id INT NOT NULL, path VARCHAR(1000) NOT NULL, owner VARCHAR(120),
    FOREIGN KEY (option_id) REFERENCES cart_option (id)
);
