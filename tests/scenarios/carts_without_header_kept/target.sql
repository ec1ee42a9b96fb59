CREATE TABLE basket (token varchar(40) PRIMARY KEY, customer integer NOT NULL, session varchar(32) NOT NULL, entries integer NOT NULL, choices integer NOT NULL, state varchar(10) NOT NULL);
CREATE TABLE entry (id integer PRIMARY KEY, basket varchar(40) NOT NULL REFERENCES basket, sku varchar(20) NOT NULL, qty integer NOT NULL, label varchar(100) NOT NULL);
CREATE TABLE entry_choice (id integer PRIMARY KEY, entry_id integer NOT NULL REFERENCES entry, value varchar(20) NOT NULL, customer integer NOT NULL, sku varchar(20) NOT NULL);
