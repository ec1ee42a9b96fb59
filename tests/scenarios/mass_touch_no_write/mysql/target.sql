CREATE TABLE cart (cart_id BIGINT PRIMARY KEY, customer_email VARCHAR(120), currency_code VARCHAR(3) NOT NULL);
CREATE TABLE cart_line (
    line_id BIGINT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    unit_price DECIMAL(10,2) NOT NULL,
    FOREIGN KEY (cart_id) REFERENCES cart (cart_id)
);

-- Counts what is written, whoever writes it.
CREATE TABLE writes (what VARCHAR(10) NOT NULL);
CREATE TRIGGER cart_inserted AFTER INSERT ON cart FOR EACH ROW INSERT INTO writes VALUES ('INSERT');
CREATE TRIGGER cart_updated AFTER UPDATE ON cart FOR EACH ROW INSERT INTO writes VALUES ('UPDATE');
CREATE TRIGGER cart_deleted AFTER DELETE ON cart FOR EACH ROW INSERT INTO writes VALUES ('DELETE');
CREATE TRIGGER line_inserted AFTER INSERT ON cart_line FOR EACH ROW INSERT INTO writes VALUES ('INSERT');
CREATE TRIGGER line_updated AFTER UPDATE ON cart_line FOR EACH ROW INSERT INTO writes VALUES ('UPDATE');
CREATE TRIGGER line_deleted AFTER DELETE ON cart_line FOR EACH ROW INSERT INTO writes VALUES ('DELETE');
