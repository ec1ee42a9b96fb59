SELECT id, small, whole, large, fixed, narrow, wide, name, note, rtrim(code), upper(encode(bytes, 'hex')), day, to_char(clock, 'HH24:MI:SS.US'),
       to_char(moment, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
       feeling, document->>'n', document->>'text'
FROM orders
