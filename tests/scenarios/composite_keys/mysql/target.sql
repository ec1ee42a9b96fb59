CREATE TABLE cart (shop SMALLINT, token VARCHAR(80) COLLATE utf8mb4_bin, remark TEXT, PRIMARY KEY (shop, token));
CREATE TABLE line (
    shop SMALLINT,
    token VARCHAR(80) COLLATE utf8mb4_bin,
    number INT,
    product VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    PRIMARY KEY (shop, token, number),
    FOREIGN KEY (shop, token) REFERENCES cart (shop, token)
);
