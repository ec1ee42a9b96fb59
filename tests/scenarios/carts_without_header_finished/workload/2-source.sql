-- The customers come again in the old shop, under other sessions: what was bought stays bought.
UPDATE line SET session = 'again' WHERE customer = 1;
UPDATE line SET session = 'again' WHERE customer = 5;
