-- The same changes as migrations/sqlite/0002_desk.sql; only types differ.

-- How far a participant's page said that it is: 1 opened, 2 testing, 3 checked in.
ALTER TABLE visit_participant ADD COLUMN progress BIGINT NOT NULL DEFAULT 0;
ALTER TABLE visit_participant ADD COLUMN progress_at_ms BIGINT; -- NULL: it said nothing

ALTER TABLE visit ADD COLUMN cancel_reason TEXT; -- for staff; NULL: it was not called off

-- What rooms are to be told is looked for all the time, over all institutions.
CREATE INDEX outbox_of_rooms ON outbox (due_s) WHERE done_s IS NULL AND kind = 'room';
