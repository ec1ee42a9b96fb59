CREATE TYPE mood AS ENUM ('calm', 'eager', 'other');
CREATE TABLE cart (
    id uuid PRIMARY KEY,
    small integer, whole bigint, large numeric, exact numeric, fixed numeric(14,4), single real, double double precision,
    flag boolean, name text, code char(6), bytes bytea, day date, hour time, hour_zone timetz,
    moment timestamp, instant timestamptz, span interval, feeling mood, feeling_text text, numbers integer[], words text[], address inet, period int4range
);
