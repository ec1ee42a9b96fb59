-- The new shop of the crash matrix on MySQL or MariaDB. It refuses more than 999 pieces on a line.
CREATE TABLE cart (
    id           varchar(40) PRIMARY KEY,
    source_id    bigint NOT NULL,
    token        varchar(40) NOT NULL,
    email        varchar(100),
    currency     varchar(3) NOT NULL,
    note         text,
    perks        int NOT NULL,
    item_count   int NOT NULL,
    total        bigint NOT NULL,
    version      int NOT NULL DEFAULT 1,
    completed_at datetime(6),
    KEY (source_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE cart_line (
    id         varchar(40) PRIMARY KEY,
    cart_id    varchar(40) NOT NULL,
    source_id  bigint NOT NULL,
    sku        varchar(40) NOT NULL,
    quantity   int NOT NULL CHECK (quantity < 1000),
    unit_minor bigint NOT NULL,
    line_minor bigint NOT NULL,
    options    json,
    FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
