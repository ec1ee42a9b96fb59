UPDATE line SET session = 'third' WHERE customer = 1;
UPDATE line SET session = 'third' WHERE customer = 5;
