-- The new shop on MySQL or MariaDB: carts under text identifiers, money in minor units, totals kept
-- on the cart, and a version that each of its own writes increases.

CREATE TABLE cart (
    id            VARCHAR(40) NOT NULL PRIMARY KEY,
    token         VARCHAR(40) NOT NULL UNIQUE,
    email         VARCHAR(120),
    customer_ref  VARCHAR(40),
    channel       VARCHAR(20) NOT NULL,
    currency_code CHAR(3) NOT NULL CHECK (currency_code = LOWER(currency_code)),
    item_count    INT NOT NULL,
    item_total    BIGINT NOT NULL,
    note          TEXT,
    metadata      JSON NOT NULL,
    version       INT NOT NULL DEFAULT 1,
    sales_region  VARCHAR(20) NOT NULL DEFAULT 'europe',
    reminded_at   TIMESTAMP(6) NULL,
    created_at    TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at    TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    completed_at  TIMESTAMP(6) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE cart_line (
    id         VARCHAR(40) NOT NULL PRIMARY KEY,
    cart_id    VARCHAR(40) NOT NULL,
    sku        VARCHAR(40) NOT NULL,
    name       VARCHAR(120) NOT NULL,
    quantity   INT NOT NULL,
    unit_minor BIGINT NOT NULL,
    line_minor BIGINT NOT NULL,
    options    JSON,
    source_id  BIGINT NOT NULL,
    gift       BOOLEAN NOT NULL DEFAULT FALSE,
    added_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
