CREATE TABLE cart (cart_id bigint PRIMARY KEY, customer_email text, currency_code text NOT NULL);
CREATE TABLE cart_line (
    line_id bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES cart,
    product text NOT NULL,
    quantity integer NOT NULL,
    unit_price numeric(10,2) NOT NULL
);
CREATE INDEX ON cart_line (cart_id);

-- Counts what is written, whoever writes it.
CREATE TABLE writes (what text NOT NULL);
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO writes VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER writes AFTER INSERT OR UPDATE OR DELETE ON cart FOR EACH ROW EXECUTE FUNCTION count_write();
CREATE TRIGGER writes AFTER INSERT OR UPDATE OR DELETE ON cart_line FOR EACH ROW EXECUTE FUNCTION count_write();
