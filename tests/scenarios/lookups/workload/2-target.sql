INSERT INTO variant (id, sku, title) VALUES
    ('var_S-31', 'S-31', 'T-31'), ('var_S-32', 'S-32', 'T-32'), ('var_S-33', 'S-33', 'T-33'),
    ('var_S-34', 'S-34', 'T-34'), ('var_S-35', 'S-35', NULL);
