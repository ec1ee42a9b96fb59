CREATE TABLE cart (
    cart_id bigint PRIMARY KEY,
    customer_email text,
    currency_code text NOT NULL,
    first_email text,
    email_domain text GENERATED ALWAYS AS (split_part(customer_email, '@', 2)) STORED,
    note text DEFAULT 'ours'
);
CREATE TABLE cart_line (
    row_number bigint GENERATED ALWAYS AS IDENTITY,
    line_id bigint PRIMARY KEY,
    cart_id bigint NOT NULL REFERENCES cart,
    product text NOT NULL,
    quantity integer NOT NULL,
    unit_price numeric(10,2) NOT NULL,
    total numeric GENERATED ALWAYS AS (quantity * unit_price) STORED
);
