CREATE TABLE cart (
    id      INT PRIMARY KEY,
    email   VARCHAR(120),
    money   VARCHAR(3),
    note    TEXT,
    pieces  INT,
    version BIGINT NOT NULL
);
CREATE TABLE cart_line (
    id      INT PRIMARY KEY,
    cart_id INT NOT NULL,
    product VARCHAR(60) NOT NULL,
    amount  INT NOT NULL,
    price   DECIMAL(12,2),
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
CREATE TABLE cart_contact (cart_id INT PRIMARY KEY, address VARCHAR(120) NOT NULL);
