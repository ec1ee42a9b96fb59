SELECT id, small, whole, large, fixed, narrow, wide, name, note, code, hex(bytes), day, date_format(clock, '%H:%i:%s.%f'),
       date_format(moment, '%Y-%m-%d %H:%i:%s.%f'), date_format(instant, '%Y-%m-%d %H:%i:%s.%f'),
       feeling, JSON_UNQUOTE(JSON_EXTRACT(document, '$.n')), JSON_UNQUOTE(JSON_EXTRACT(document, '$.text'))
FROM cart
