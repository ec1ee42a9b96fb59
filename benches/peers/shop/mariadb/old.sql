-- The old shop: carts and their lines, nothing unusual.
CREATE TABLE cart (
    id          bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token       char(36) CHARACTER SET ascii NOT NULL UNIQUE,
    customer_id bigint,
    currency    char(3) NOT NULL,
    status      varchar(20) NOT NULL,
    version     int NOT NULL DEFAULT 0,
    created_at  timestamp(6) NOT NULL DEFAULT current_timestamp(6),
    updated_at  timestamp(6) NOT NULL DEFAULT current_timestamp(6)
) ENGINE = InnoDB;
CREATE TABLE cart_item (
    id         bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    cart_id    bigint NOT NULL,
    sku        varchar(40) NOT NULL,
    qty        int NOT NULL,
    unit_price decimal(12, 2) NOT NULL,
    added_at   timestamp(6) NOT NULL DEFAULT current_timestamp(6),
    updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6),
    UNIQUE KEY (cart_id, sku),
    FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB;
