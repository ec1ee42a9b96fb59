CREATE TABLE shop_order (id BIGINT PRIMARY KEY, active INT NOT NULL, customer_id BIGINT, coupons VARCHAR(100) NOT NULL);
CREATE TABLE shop_line (order_id BIGINT NOT NULL, product_id BIGINT NOT NULL, address_id BIGINT NOT NULL, quantity BIGINT NOT NULL, PRIMARY KEY (order_id, product_id, address_id), FOREIGN KEY (order_id) REFERENCES shop_order (id));
