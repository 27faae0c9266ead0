-- An order's row says each thing once: what others hear of it follows from the frozen content, the state and the letter. The
-- identifiers of a case's orders follow from the case and their sequence, so that the primary key finds them.
ALTER TABLE urging_orders ADD COLUMN lateness_seconds bigint;
UPDATE urging_orders SET lateness_seconds = (fact ->> 'lateness_seconds')::bigint;
ALTER TABLE urging_orders ALTER COLUMN lateness_seconds SET NOT NULL, DROP COLUMN fact;
DROP INDEX urging_orders_rectification_id_idx;
