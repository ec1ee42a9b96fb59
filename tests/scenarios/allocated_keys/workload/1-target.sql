INSERT INTO "order" (code, customer) VALUES ('own a', 'someone');
INSERT INTO "order" (code, customer) VALUES ('own b', 'someone');
INSERT INTO "order" (code, customer) VALUES ('own c', 'someone');
INSERT INTO "order" (code, customer) VALUES ('own d', 'someone');
