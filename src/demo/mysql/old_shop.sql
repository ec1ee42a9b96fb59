-- The old shop on MySQL or MariaDB: one table for carts and orders alike, told apart by their state.
-- What a cascade deletes is in no log there.

CREATE TABLE orders (
    id           INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number       VARCHAR(40) NOT NULL UNIQUE,
    token        VARCHAR(40) NOT NULL UNIQUE,
    state        VARCHAR(10) NOT NULL DEFAULT 'cart' CHECK (state IN ('cart', 'complete')),
    email        VARCHAR(120),
    customer_id  INT UNSIGNED,
    currency     CHAR(3) NOT NULL,
    note         TEXT,
    user_agent   VARCHAR(200),
    created_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    completed_at TIMESTAMP(6) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE line_items (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id   INT UNSIGNED NOT NULL,
    sku        VARCHAR(40) NOT NULL,
    title      VARCHAR(120) NOT NULL,
    quantity   INT NOT NULL CHECK (quantity > 0),
    unit_price DECIMAL(12, 3) NOT NULL,
    added_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE line_options (
    id      INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    line_id INT UNSIGNED NOT NULL,
    name    VARCHAR(20) NOT NULL,
    value   VARCHAR(60) NOT NULL,
    UNIQUE (line_id, name),
    FOREIGN KEY (line_id) REFERENCES line_items (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
