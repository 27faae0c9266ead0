-- Copies of the county units (市县), so that one without any rectification still has its line of zeros.
CREATE TABLE areas (
    area_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    level text NOT NULL CHECK (level IN ('province', 'county_unit', 'district')),
    path uuid[] NOT NULL
);
