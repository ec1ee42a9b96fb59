CREATE TABLE cart (id integer PRIMARY KEY, email text);
CREATE TABLE cart_item (id integer PRIMARY KEY, cart_id integer NOT NULL REFERENCES cart, sku text NOT NULL);
CREATE TABLE cart_option (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES cart_item, label text NOT NULL, item_sku text NOT NULL);
CREATE TABLE cart_file (id integer PRIMARY KEY, option_id integer NOT NULL REFERENCES cart_option, path text NOT NULL, owner text);
