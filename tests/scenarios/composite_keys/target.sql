CREATE TABLE cart (shop smallint, token varchar(80), remark text, PRIMARY KEY (shop, token));
CREATE TABLE line (
    shop smallint,
    token varchar(80),
    number integer,
    product text NOT NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (shop, token, number),
    FOREIGN KEY (shop, token) REFERENCES cart
);
