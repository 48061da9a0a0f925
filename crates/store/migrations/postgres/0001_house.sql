-- The same tables as migrations/sqlite/0001_house.sql; only types and the overlap rule differ.
-- Every tenant's table carries `institution`. Three tables belong to no tenant: `resource` and `claim` are one human's
-- time across institutions (a claim says who made it), `link_home` tells where a participant's row lies.
-- Instants are seconds (_s) or milliseconds (_ms) since 1970-01-01T00:00:00Z.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE institution (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    help_phone TEXT,
    zone       TEXT    NOT NULL,
    created_s  BIGINT  NOT NULL
);

CREATE TABLE link_home (
    participant TEXT NOT NULL PRIMARY KEY,
    institution TEXT NOT NULL REFERENCES institution (id)
);

CREATE TABLE resource (
    id      BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version BIGINT  NOT NULL
);

CREATE TABLE person (
    institution     TEXT    NOT NULL REFERENCES institution (id),
    id              TEXT    NOT NULL,
    resource        BIGINT  NOT NULL REFERENCES resource (id),
    legal_name      TEXT    NOT NULL,
    preferred_name  TEXT,
    original_script TEXT,
    say             TEXT,
    language        TEXT    NOT NULL,
    zone            TEXT    NOT NULL,
    roles           TEXT    NOT NULL, -- names, with a space between
    created_s       BIGINT  NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, resource)
);

CREATE TABLE service (
    institution TEXT    NOT NULL REFERENCES institution (id),
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    duration_s  BIGINT  NOT NULL CHECK (duration_s > 0 AND duration_s % 300 = 0),
    before_s    BIGINT  NOT NULL CHECK (before_s >= 0 AND before_s % 300 = 0),
    after_s     BIGINT  NOT NULL CHECK (after_s >= 0 AND after_s % 300 = 0),
    created_s   BIGINT  NOT NULL,
    PRIMARY KEY (institution, id)
);

CREATE TABLE visit (
    institution     TEXT    NOT NULL REFERENCES institution (id),
    id              TEXT    NOT NULL,
    ical_uid        TEXT    NOT NULL,
    sequence        BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    status          TEXT    NOT NULL,
    service         TEXT,
    start_s         BIGINT  NOT NULL,
    end_s           BIGINT  NOT NULL,
    anchor_person   TEXT,
    anchor_zone     TEXT    NOT NULL,
    anchor_wall     TEXT    NOT NULL,
    anchor_offset_s BIGINT  NOT NULL,
    tzdb_version    TEXT    NOT NULL,
    created_s       BIGINT  NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, ical_uid),
    FOREIGN KEY (institution, service) REFERENCES service (institution, id),
    FOREIGN KEY (institution, anchor_person) REFERENCES person (institution, id),
    CHECK (end_s > start_s)
);

CREATE INDEX visit_by_start ON visit (institution, start_s);

CREATE TABLE visit_participant (
    institution       TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    visit             TEXT    NOT NULL,
    place             BIGINT  NOT NULL, -- the order of the booking
    person            TEXT    NOT NULL,
    role              TEXT    NOT NULL,
    required          BIGINT  NOT NULL, -- 0 or 1
    status            TEXT    NOT NULL,
    zone              TEXT    NOT NULL,
    promised_wall     TEXT    NOT NULL,
    promised_offset_s BIGINT  NOT NULL,
    notified_sequence BIGINT, -- NULL: not told yet
    link_generation   BIGINT  NOT NULL,
    PRIMARY KEY (institution, id),
    UNIQUE (institution, visit, person),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id),
    FOREIGN KEY (institution, person) REFERENCES person (institution, id)
);

CREATE TABLE claim (
    institution TEXT    NOT NULL, -- who claims; the rule below knows no institutions
    visit       TEXT    NOT NULL,
    resource    BIGINT  NOT NULL REFERENCES resource (id),
    start_s     BIGINT  NOT NULL,
    end_s       BIGINT  NOT NULL,
    state       BIGINT  NOT NULL, -- 0 hold, 1 tentative, 2 booked
    expires_s   BIGINT, -- NULL: it lasts
    PRIMARY KEY (visit, resource),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id),
    CHECK (end_s > start_s),
    -- No two claims on one human overlap. A plain INSERT deadlocks on this under contention: use ON CONFLICT DO NOTHING.
    CONSTRAINT claim_no_overlap EXCLUDE USING gist (resource WITH =, int8range(start_s, end_s) WITH &&)
);

CREATE INDEX claim_by_start ON claim (resource, start_s);
CREATE INDEX claim_by_expiry ON claim (resource, expires_s) WHERE expires_s IS NOT NULL;

CREATE TABLE idempotency (
    institution TEXT    NOT NULL REFERENCES institution (id),
    caller      TEXT    NOT NULL,
    route       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    body_hash   TEXT    NOT NULL,
    status      BIGINT  NOT NULL,
    response    TEXT    NOT NULL, -- never holds a link or another credential
    at_s        BIGINT  NOT NULL,
    PRIMARY KEY (institution, caller, route, key)
);

CREATE INDEX idempotency_by_age ON idempotency (institution, at_s);

CREATE TABLE outbox (
    institution    TEXT    NOT NULL,
    id             TEXT    NOT NULL, -- visit:kind:sequence:recipient
    visit          TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    sequence       BIGINT  NOT NULL,
    recipient      TEXT    NOT NULL,
    due_s          BIGINT  NOT NULL,
    locked_until_s BIGINT  NOT NULL,
    attempts       BIGINT  NOT NULL,
    payload        TEXT    NOT NULL, -- JSON; ids only
    done_s         BIGINT, -- NULL: still to do
    PRIMARY KEY (institution, id),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id)
);

CREATE INDEX outbox_by_due ON outbox (institution, due_s) WHERE done_s IS NULL;

CREATE TABLE audit (
    id          BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution TEXT    NOT NULL REFERENCES institution (id),
    at_ms       BIGINT  NOT NULL,
    actor       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    visit       TEXT,
    subject     TEXT
);

CREATE INDEX audit_by_visit ON audit (institution, visit);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

CREATE TRIGGER audit_not_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the audit is append-only');

CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the audit is append-only');

CREATE TRIGGER claim_span_stays BEFORE UPDATE OF resource, start_s, end_s ON claim
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a claim is never moved: delete it and insert another');

CREATE TABLE device (
    institution TEXT    NOT NULL,
    participant TEXT    NOT NULL,
    generation  BIGINT  NOT NULL, -- of the link that was redeemed
    device_hash TEXT    NOT NULL,
    bound_at_s  BIGINT  NOT NULL,
    PRIMARY KEY (institution, participant),
    FOREIGN KEY (institution, participant) REFERENCES visit_participant (institution, id)
);

CREATE TABLE staff_session (
    institution TEXT    NOT NULL,
    id_hash     TEXT    NOT NULL,
    person      TEXT    NOT NULL,
    created_s   BIGINT  NOT NULL,
    last_seen_s BIGINT  NOT NULL,
    expires_s   BIGINT  NOT NULL,
    PRIMARY KEY (institution, id_hash),
    FOREIGN KEY (institution, person) REFERENCES person (institution, id)
);

CREATE INDEX staff_session_by_expiry ON staff_session (institution, expires_s);

CREATE TABLE room_fact (
    id          BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of arrival
    institution TEXT    NOT NULL,
    visit       TEXT    NOT NULL,
    session     TEXT    NOT NULL,
    cseq        BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    participant TEXT,
    at_ms       BIGINT  NOT NULL,
    UNIQUE (institution, visit, session, cseq),
    FOREIGN KEY (institution, visit) REFERENCES visit (institution, id)
);
