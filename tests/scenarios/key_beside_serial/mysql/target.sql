CREATE TABLE checkout (token VARCHAR(60) PRIMARY KEY, email VARCHAR(60), version INT NOT NULL);
CREATE TABLE checkout_metadata (
    id INT AUTO_INCREMENT PRIMARY KEY,
    metadata JSON NOT NULL,
    checkout_id VARCHAR(60) NOT NULL UNIQUE,
    FOREIGN KEY (checkout_id) REFERENCES checkout (token)
);
CREATE TABLE checkout_note (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    checkout_id VARCHAR(60) NOT NULL,
    kind VARCHAR(60) NOT NULL,
    note VARCHAR(60),
    touched_at DATETIME(6) NOT NULL,
    UNIQUE (checkout_id, kind),
    FOREIGN KEY (checkout_id) REFERENCES checkout (token)
);
CREATE TABLE checkout_line (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    old_id INT NOT NULL UNIQUE,
    checkout_id VARCHAR(60) NOT NULL,
    variant VARCHAR(60) NOT NULL,
    quantity INT NOT NULL,
    version INT NOT NULL,
    FOREIGN KEY (checkout_id) REFERENCES checkout (token)
);
