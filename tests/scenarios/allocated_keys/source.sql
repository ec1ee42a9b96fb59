CREATE TABLE basket (id bigint PRIMARY KEY, follows bigint, customer text);
CREATE TABLE basket_line (
    basket_id bigint NOT NULL REFERENCES basket ON DELETE CASCADE, place text NOT NULL,
    sku text NOT NULL, qty integer NOT NULL, PRIMARY KEY (basket_id, place)
);
CREATE TABLE line_note (
    id integer PRIMARY KEY, basket_id bigint NOT NULL, place text NOT NULL, note text,
    FOREIGN KEY (basket_id, place) REFERENCES basket_line ON DELETE CASCADE
);
CREATE INDEX ON line_note (basket_id, place);
ALTER TABLE line_note REPLICA IDENTITY FULL;
INSERT INTO basket SELECT n, NULL, 'c' || n FROM generate_series(1, 120) n;
UPDATE basket SET follows = id - 1 WHERE id % 4 = 0;
INSERT INTO basket_line SELECT n, chr(96 + k), 's' || n * k, n % 5 + 1 FROM generate_series(1, 120) n, generate_series(1, 3) k;
INSERT INTO line_note SELECT n, n, 'b', 'note ' || n FROM generate_series(1, 120, 3) n;
