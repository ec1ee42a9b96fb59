-- The new shop: other names, keys of its own, money in minor units, totals in the header.
CREATE TABLE basket (
    id           varchar(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    token        char(36) CHARACTER SET ascii NOT NULL UNIQUE,
    customer_ref varchar(40),
    currency     varchar(3) NOT NULL,
    state        varchar(20) NOT NULL,
    item_count   int NOT NULL,
    total_minor  bigint NOT NULL,
    created_at   timestamp(6) NOT NULL DEFAULT '2000-01-01',
    updated_at   timestamp(6) NOT NULL DEFAULT '2000-01-01',
    version      int NOT NULL DEFAULT 1
) ENGINE = InnoDB;
CREATE TABLE basket_line (
    id         varchar(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    basket_id  varchar(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sku        varchar(40) NOT NULL,
    quantity   int NOT NULL,
    unit_minor bigint NOT NULL,
    added_at   timestamp(6) NOT NULL DEFAULT '2000-01-01',
    updated_at timestamp(6) NOT NULL DEFAULT '2000-01-01',
    UNIQUE KEY (basket_id, sku),
    FOREIGN KEY (basket_id) REFERENCES basket (id)
) ENGINE = InnoDB;
