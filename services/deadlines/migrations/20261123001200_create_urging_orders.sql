-- Numbers without gaps: the counter moves in the transaction that issues, so a roll-back takes its number back.
CREATE TABLE number_series (
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (agency_word, kind_word, year)
);

CREATE TABLE urging_orders (
    urging_order_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    sequence integer NOT NULL,
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    serial integer NOT NULL,
    doc_no text NOT NULL UNIQUE,
    issued_at timestamptz NOT NULL,
    content text NOT NULL,
    content_sha256 text NOT NULL,
    UNIQUE (rectification_id, sequence),
    UNIQUE (agency_word, kind_word, year, serial)
);
