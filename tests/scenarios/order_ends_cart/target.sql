CREATE TABLE shop_order (id bigint PRIMARY KEY, active integer NOT NULL, customer_id bigint, coupons varchar(100) NOT NULL);
CREATE TABLE shop_line (order_id bigint NOT NULL REFERENCES shop_order, product_id bigint NOT NULL, address_id bigint NOT NULL, quantity bigint NOT NULL, PRIMARY KEY (order_id, product_id, address_id));
