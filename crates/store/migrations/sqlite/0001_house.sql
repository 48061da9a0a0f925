-- The same tables as migrations/postgres/0001_house.sql; only types and the overlap rule differ.
-- Every tenant's table carries `institution`. Three tables belong to no tenant: `resource` and `claim` are one human's
-- time across institutions (a claim says who made it), `link_home` tells where a participant's row lies.
-- Instants are seconds (_s) or milliseconds (_ms) since 1970-01-01T00:00:00Z.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE institution (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    help_phone TEXT,
    zone       TEXT    NOT NULL,
    created_s  INTEGER NOT NULL
) STRICT;

CREATE TABLE link_home (
    participant TEXT NOT NULL PRIMARY KEY,
    institution TEXT NOT NULL REFERENCES institution (id)
) STRICT;

CREATE TABLE resource (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE person (
    institution     TEXT    NOT NULL REFERENCES institution (id),
    id              TEXT    NOT NULL,
    resource        INTEGER NOT NULL REFERENCES resource (id),
    legal_name      TEXT    NOT NULL,
    preferred_name  TEXT,
    original_script TEXT,
    say             TEXT,
    language        TEXT    NOT NULL,
    zone            TEXT    NOT NULL,
    roles           TEXT    NOT NULL, -- names, with a space between
    created_s       INTEGER NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, resource)
) STRICT;

CREATE TABLE service (
    institution TEXT    NOT NULL REFERENCES institution (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    duration_s  INTEGER NOT NULL CHECK (duration_s > 0 AND duration_s % 300 = 0),
    before_s    INTEGER NOT NULL CHECK (before_s >= 0 AND before_s % 300 = 0),
    after_s     INTEGER NOT NULL CHECK (after_s >= 0 AND after_s % 300 = 0),
    created_s   INTEGER NOT NULL,
    PRIMARY KEY (institution, id)
) STRICT;

CREATE TABLE visit (
    institution     TEXT    NOT NULL REFERENCES institution (id),
    id              TEXT    NOT NULL,
    ical_uid        TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    status          TEXT    NOT NULL,
    service         TEXT,
    start_s         INTEGER NOT NULL,
    end_s           INTEGER NOT NULL,
    anchor_person   TEXT,
    anchor_zone     TEXT    NOT NULL,
    anchor_wall     TEXT    NOT NULL,
    anchor_offset_s INTEGER NOT NULL,
    tzdb_version    TEXT    NOT NULL,
    created_s       INTEGER NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, ical_uid),
    FOREIGN KEY (institution, service) REFERENCES service (institution, id),
    FOREIGN KEY (institution, anchor_person) REFERENCES person (institution, id),
    CHECK (end_s > start_s)
) STRICT;

CREATE INDEX visit_by_start ON visit (institution, start_s);

CREATE TABLE visit_participant (
    institution       TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    visit             TEXT    NOT NULL,
    place             INTEGER NOT NULL, -- the order of the booking
    person            TEXT    NOT NULL,
    role              TEXT    NOT NULL,
    required          INTEGER NOT NULL, -- 0 or 1
    status            TEXT    NOT NULL,
    zone              TEXT    NOT NULL,
    promised_wall     TEXT    NOT NULL,
    promised_offset_s INTEGER NOT NULL,
    notified_sequence INTEGER, -- NULL: not told yet
    link_generation   INTEGER NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, visit, person),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id),
    FOREIGN KEY (institution, person) REFERENCES person (institution, id)
) STRICT;

CREATE TABLE claim (
    institution TEXT    NOT NULL, -- who claims; the rule below knows no institutions
    visit       TEXT    NOT NULL,
    resource    INTEGER NOT NULL REFERENCES resource (id),
    start_s     INTEGER NOT NULL,
    end_s       INTEGER NOT NULL,
    state       INTEGER NOT NULL, -- 0 hold, 1 tentative, 2 booked
    expires_s   INTEGER,          -- NULL: it lasts
    PRIMARY KEY (visit, resource),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id),
    CHECK (end_s > start_s)
) STRICT;

-- No two claims on one human overlap. Since that holds for the rows that are there, only the last one that starts before
-- the new one's end can overlap it. The new row is skipped, as by ON CONFLICT DO NOTHING on PostgreSQL.
CREATE UNIQUE INDEX claim_by_start ON claim (resource, start_s);
CREATE INDEX claim_by_expiry ON claim (resource, expires_s) WHERE expires_s IS NOT NULL;

CREATE TRIGGER claim_no_overlap BEFORE INSERT ON claim
WHEN NEW.start_s < (
    SELECT end_s FROM claim WHERE resource = NEW.resource AND start_s < NEW.end_s ORDER BY start_s DESC LIMIT 1
)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER claim_span_stays BEFORE UPDATE OF resource, start_s, end_s ON claim
BEGIN
    SELECT RAISE(ABORT, 'a claim is never moved: delete it and insert another');
END;

CREATE TABLE idempotency (
    institution TEXT    NOT NULL REFERENCES institution (id),
    caller      TEXT    NOT NULL,
    route       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    body_hash   TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    response    TEXT    NOT NULL, -- never holds a link or another credential
    at_s        INTEGER NOT NULL,
    PRIMARY KEY (institution, caller, route, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (institution, at_s);

CREATE TABLE outbox (
    institution    TEXT    NOT NULL,
    id             TEXT    NOT NULL, -- visit:kind:sequence:recipient
    visit          TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    sequence       INTEGER NOT NULL,
    recipient      TEXT    NOT NULL,
    due_s          INTEGER NOT NULL,
    locked_until_s INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    payload        TEXT    NOT NULL, -- JSON; ids only
    done_s         INTEGER,          -- NULL: still to do
    PRIMARY KEY (institution, id),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id)
) STRICT;

CREATE INDEX outbox_by_due ON outbox (institution, due_s) WHERE done_s IS NULL;

CREATE TABLE audit (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    institution TEXT    NOT NULL REFERENCES institution (id),
    at_ms       INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    visit       TEXT,
    subject     TEXT
) STRICT;

CREATE INDEX audit_by_visit ON audit (institution, visit);

CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TRIGGER audit_not_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;

CREATE TABLE device (
    institution TEXT    NOT NULL,
    participant TEXT    NOT NULL,
    generation  INTEGER NOT NULL, -- of the link that was redeemed
    device_hash TEXT    NOT NULL,
    bound_at_s  INTEGER NOT NULL,
    PRIMARY KEY (institution, participant),
    FOREIGN KEY (institution, participant) REFERENCES visit_participant (institution, id)
) STRICT;

CREATE TABLE staff_session (
    institution TEXT    NOT NULL,
    id_hash     TEXT    NOT NULL,
    person      TEXT    NOT NULL,
    created_s   INTEGER NOT NULL,
    last_seen_s INTEGER NOT NULL,
    expires_s   INTEGER NOT NULL,
    PRIMARY KEY (institution, id_hash),
    FOREIGN KEY (institution, person) REFERENCES person (institution, id)
) STRICT;

CREATE INDEX staff_session_by_expiry ON staff_session (institution, expires_s);

CREATE TABLE room_fact (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the order of arrival
    institution TEXT    NOT NULL,
    visit       TEXT    NOT NULL,
    session     TEXT    NOT NULL,
    cseq        INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    participant TEXT,
    at_ms       INTEGER NOT NULL,
    UNIQUE (institution, visit, session, cseq),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id)
) STRICT;
