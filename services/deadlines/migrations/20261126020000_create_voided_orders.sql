-- Urging orders that no longer hold (作废). The order stays as it was issued, and so does its number.
CREATE TABLE voided_orders (
    urging_order_id uuid PRIMARY KEY REFERENCES urging_orders,
    voided_at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('wrong_content', 'issued_in_error', 'circumstances_changed')),
    reason text NOT NULL CHECK (reason <> ''),
    account_id uuid NOT NULL,
    name text NOT NULL
);
