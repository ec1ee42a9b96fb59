SELECT id, small, whole, large, exact, fixed, single, double, flag, name, code, bytes, day, hour, hour_zone, moment, instant, span, feeling, feeling_text, numbers, words, address, period FROM cart
