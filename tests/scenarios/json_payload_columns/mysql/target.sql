-- `raw` is kept as it was written, which MySQL's JSON does not do.
CREATE TABLE cart (
    id INT PRIMARY KEY, locale VARCHAR(20), gift VARCHAR(20), first_tag VARCHAR(60), tags INT,
    metadata JSON NOT NULL, raw LONGTEXT, skus JSON
);
CREATE TABLE line (
    id INT PRIMARY KEY, cart_id INT NOT NULL, size INT, options JSON,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
);
