-- The old shop of two writers: baskets, their lines, and what was meant by each change.

CREATE TABLE baskets (
    id         BIGINT NOT NULL PRIMARY KEY,
    email      VARCHAR(40) NOT NULL,
    remark     VARCHAR(40) NOT NULL,
    note       VARCHAR(40) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE basket_lines (
    id        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    basket_id BIGINT NOT NULL,
    sku       VARCHAR(40) NOT NULL,
    quantity  INT NOT NULL CHECK (quantity > 0),
    FOREIGN KEY (basket_id) REFERENCES baskets (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Written in the transaction of the change. Nobody but the judge reads it.
CREATE TABLE intended (
    id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    cart_id BIGINT NOT NULL,
    what    VARCHAR(40) NOT NULL,
    amount  INT NOT NULL,
    KEY (cart_id, what)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
