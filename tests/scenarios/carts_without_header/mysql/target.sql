CREATE TABLE checkout (
    token VARCHAR(40) PRIMARY KEY,
    store INT NOT NULL,
    customer INT NOT NULL,
    session VARCHAR(32) COLLATE utf8mb4_bin NOT NULL,
    line_count INT NOT NULL,
    quantity INT NOT NULL,
    created DATETIME NOT NULL,
    UNIQUE (store, customer, session)
);
CREATE TABLE checkout_line (
    id INT PRIMARY KEY,
    checkout VARCHAR(40) NOT NULL REFERENCES checkout (token),
    product INT NOT NULL,
    quantity INT NOT NULL,
    guest INT NOT NULL
);
