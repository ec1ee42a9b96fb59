CREATE TABLE cart (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL, total INT NOT NULL);
CREATE TABLE cart_line (id INT PRIMARY KEY, cart_id INT NOT NULL, quantity INT NOT NULL, FOREIGN KEY (cart_id) REFERENCES cart (id));
CREATE TABLE cart_adjustment (id INT PRIMARY KEY, line_id INT NOT NULL, amount INT NOT NULL, FOREIGN KEY (line_id) REFERENCES cart_line (id));
CREATE TABLE cart_surcharge (id INT PRIMARY KEY, cart_id INT NOT NULL, amount INT NOT NULL, FOREIGN KEY (cart_id) REFERENCES cart (id));
