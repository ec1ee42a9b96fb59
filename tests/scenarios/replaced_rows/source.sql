CREATE TABLE quote (id integer PRIMARY KEY, email text);
CREATE TABLE quote_item (id integer PRIMARY KEY, quote_id integer NOT NULL REFERENCES quote ON DELETE CASCADE, sku text NOT NULL);
CREATE TABLE item_option (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES quote_item ON DELETE CASCADE, code text NOT NULL, value text);
-- No foreign key: a file stays when its option is replaced.
CREATE TABLE option_file (id integer PRIMARY KEY, option_id integer NOT NULL, path text NOT NULL);
CREATE INDEX ON quote_item (quote_id);
CREATE INDEX ON item_option (item_id);
CREATE INDEX ON option_file (option_id);
ALTER TABLE quote_item REPLICA IDENTITY FULL;
ALTER TABLE item_option REPLICA IDENTITY FULL;
ALTER TABLE option_file REPLICA IDENTITY FULL;
INSERT INTO quote SELECT n, 'c' || n FROM generate_series(1, 20) n;
INSERT INTO quote_item SELECT n * 10 + k, n, 'sku-' || k FROM generate_series(1, 20) n, generate_series(1, 2) k;
INSERT INTO item_option SELECT id * 10 + k, id, 'code-' || k, 'v' || id FROM quote_item, generate_series(1, 2) k;
INSERT INTO option_file SELECT id, id, '/f/' || id FROM item_option;
