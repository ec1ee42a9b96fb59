-- The new shop of two writers: a version that each of its own writes increases, and what was meant
-- by each change.

CREATE TABLE cart (
    id         BIGINT NOT NULL PRIMARY KEY,
    email      VARCHAR(40) NOT NULL,
    remark     VARCHAR(40) NOT NULL,
    note       VARCHAR(40) NOT NULL,
    version    INT NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE cart_line (
    id       VARCHAR(60) NOT NULL PRIMARY KEY,
    cart_id  BIGINT NOT NULL,
    sku      VARCHAR(40) NOT NULL,
    quantity INT NOT NULL CHECK (quantity > 0),
    KEY (cart_id, sku),
    FOREIGN KEY (cart_id) REFERENCES cart (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE intended (
    id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    what    VARCHAR(40) NOT NULL,
    amount  INT NOT NULL,
    KEY (cart_id, what)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
