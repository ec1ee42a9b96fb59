CREATE TABLE cart (
    id CHAR(36) COLLATE utf8mb4_bin PRIMARY KEY,
    small INT, whole BIGINT, large DECIMAL(30,0), fixed DECIMAL(14,4), narrow FLOAT, wide DOUBLE,
    name TEXT, note LONGTEXT, code CHAR(6), bytes LONGBLOB, day DATE, clock TIME(6), moment DATETIME(6), instant TIMESTAMP(6) NULL,
    feeling ENUM ('calm', 'eager', 'other'), document JSON
);
