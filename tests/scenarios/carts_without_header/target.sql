CREATE TABLE checkout (
    token varchar(40) PRIMARY KEY,
    store integer NOT NULL,
    customer integer NOT NULL,
    session varchar(32) NOT NULL,
    line_count integer NOT NULL,
    quantity integer NOT NULL,
    created timestamp(0) NOT NULL,
    UNIQUE (store, customer, session)
);
CREATE TABLE checkout_line (
    id integer PRIMARY KEY,
    checkout varchar(40) NOT NULL REFERENCES checkout,
    product integer NOT NULL,
    quantity integer NOT NULL,
    guest integer NOT NULL
);
