use super::*;

/// The tables that are not held to an institution, with a space between.
fn found(sql: &str) -> String {
    let tenants = ["visit", "person", "claim", "device"].map(str::to_owned).into();
    unbound(sql, &tenants).join(" ")
}

fn held(statements: &[&str]) {
    for sql in statements {
        assert_eq!(found(sql), "", "{sql}");
    }
}

fn not_held(table: &str, statements: &[&str]) {
    for sql in statements {
        assert_eq!(found(sql), table, "{sql}");
    }
}

#[test]
fn a_condition_on_the_institution_holds_its_table() {
    held(&[
        "SELECT id FROM visit WHERE institution = $1",
        "SELECT id FROM visit AS v WHERE $1 = v.institution AND (a = 1 OR b = 2)",
        "SELECT id FROM visit WHERE (institution = $1) AND id = $2",
        "SELECT EXTRACT(EPOCH FROM now()) FROM visit WHERE institution = $1::text ORDER BY id",
        "UPDATE visit SET a = 1 WHERE institution = ? AND id = ? RETURNING id",
        "DELETE FROM visit WHERE institution = :institution",
        "select \"id\" from public.visit where \"institution\" = $1",
        "SELECT id FROM node WHERE id = $1",
    ]);
    not_held(
        "visit",
        &[
            "SELECT id FROM visit",
            "SELECT institution FROM visit WHERE id = $1",
            "SELECT id FROM visit WHERE id = $1 /* institution = $1 */",
            "SELECT id FROM visit WHERE id = $1 -- AND institution = $1",
            "UPDATE visit SET institution = $1 WHERE id = $2",
            "SELECT id FROM visit ORDER BY institution = $1",
            "SELECT institution = $1 FROM visit",
        ],
    );
}

#[test]
fn a_condition_that_does_not_hold_for_every_row_holds_no_table() {
    not_held(
        "visit",
        &[
            "SELECT id FROM visit WHERE institution <> $1",
            "SELECT id FROM visit WHERE institution != $1",
            "SELECT id FROM visit WHERE institution >= $1",
            "SELECT id FROM visit WHERE institution = $1 OR id = $2",
            "SELECT id FROM visit WHERE (institution = $1) OR (id = $2)",
            "SELECT id FROM visit WHERE id = $2 AND (institution = $1 OR public)",
            "SELECT id FROM visit WHERE NOT institution = $1",
            "SELECT id FROM visit WHERE NOT (institution = $1)",
            "SELECT id FROM visit WHERE COALESCE(institution = $1, TRUE)",
            "SELECT id FROM visit WHERE CASE WHEN id = $2 THEN TRUE ELSE institution = $1 END",
            "SELECT id FROM visit WHERE institution = institution",
            "SELECT id FROM visit WHERE institution = 'cedar-street'",
            "SELECT id FROM visit WHERE institution = $1 || $2",
            "SELECT id FROM visit WHERE institution = $1 IS NOT NULL",
        ],
    );
}

#[test]
fn a_join_on_the_institution_holds_both() {
    held(&[
        "SELECT 1 FROM visit v JOIN person p ON p.institution = v.institution AND p.id = v.person WHERE v.institution = $1",
        "SELECT 1 FROM visit v JOIN person p ON v.institution = p.institution WHERE p.institution = $1",
        "SELECT 1 FROM visit v LEFT JOIN person p ON p.institution = v.institution WHERE v.institution = $1",
        "SELECT 1 FROM visit v LEFT JOIN person p ON p.institution = $1 WHERE v.institution = $1",
        "SELECT 1 FROM visit v JOIN person p USING (institution, id) WHERE v.institution = $1",
        "SELECT 1 FROM visit v, person p WHERE v.institution = $1 AND p.institution = v.institution",
        "SELECT 1 FROM (visit v JOIN person p ON p.institution = v.institution) WHERE v.institution = $1",
        "SELECT 1 FROM visit v JOIN node n ON n.id = v.node WHERE institution = $1",
    ]);
    not_held(
        "person",
        &[
            "SELECT 1 FROM visit v JOIN person p ON p.id = v.person WHERE v.institution = $1",
            "SELECT 1 FROM visit v, person p WHERE v.institution = $1",
            "SELECT 1 FROM visit v JOIN person p USING (id) WHERE v.institution = $1",
            "SELECT 1 FROM visit v JOIN person p ON p.institution <> v.institution WHERE v.institution = $1",
            "SELECT 1 FROM visit v RIGHT JOIN person p ON p.institution = v.institution WHERE v.institution = $1",
            "DELETE FROM visit USING person WHERE visit.institution = $1",
            "UPDATE visit SET a = p.a FROM person p WHERE visit.institution = $1",
        ],
    );
    not_held(
        "visit",
        &[
            "SELECT 1 FROM visit v LEFT JOIN person p ON v.institution = $1 AND p.institution = $1",
            "SELECT 1 FROM visit v LEFT JOIN person p ON p.institution = $1 AND p.institution = v.institution",
        ],
    );
    not_held(
        "visit person",
        &["SELECT 1 FROM visit v JOIN person p ON p.institution = v.institution"],
    );
}

#[test]
fn each_query_is_looked_at_by_itself() {
    held(&[
        "SELECT 1 FROM visit WHERE institution = $1 AND id = (SELECT visit FROM claim WHERE institution = $1)",
        "SELECT 1 FROM visit v WHERE v.institution = $1 AND EXISTS (SELECT 1 FROM claim c WHERE c.institution = v.institution)",
        "WITH soon AS (SELECT id FROM visit WHERE institution = $1) SELECT id FROM soon",
        "SELECT 1 FROM visit WHERE institution = $1 UNION ALL SELECT 1 FROM claim WHERE institution = $1",
    ]);
    not_held(
        "claim",
        &[
            "SELECT 1 FROM visit WHERE institution = $1 AND id = (SELECT visit FROM claim WHERE resource = $2)",
            "SELECT 1 FROM visit WHERE institution = $1 UNION SELECT 1 FROM claim",
            "SELECT 1 FROM visit v WHERE v.institution = $1 AND EXISTS (SELECT 1 FROM claim c WHERE v.institution = $1)",
        ],
    );
    not_held(
        "visit",
        &["SELECT 1 FROM visit v WHERE EXISTS (SELECT 1 FROM node n WHERE v.institution = $1)"],
    );
}

#[test]
fn a_row_that_is_inserted_says_whose_it_is() {
    held(&[
        "INSERT INTO device (institution, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "INSERT INTO device (institution, id) VALUES ($1, $2)
            ON CONFLICT (institution, id) DO UPDATE SET a = excluded.a WHERE device.a < excluded.a",
        "INSERT OR IGNORE INTO device (institution, id) SELECT v.institution, v.id FROM visit v WHERE v.institution = $1",
    ]);
    not_held(
        "device",
        &[
            "INSERT INTO device (id) VALUES ($1)",
            "INSERT INTO device VALUES ($1, $2)",
            "INSERT INTO device (institution, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
        ],
    );
    not_held(
        "visit",
        &["INSERT INTO device (institution, id) SELECT $1, id FROM visit ON CONFLICT DO NOTHING"],
    );
}

#[test]
fn a_comment_after_the_table_frees_that_table_if_it_says_why() {
    held(&[
        "DELETE FROM claim /* any institution: it is over */ WHERE end_s < $1",
        "SELECT 1 FROM claim c /* any institution: times only */ WHERE 1 < (SELECT MAX(id) FROM claim WHERE a = $1)",
    ]);
    not_held(
        "claim",
        &[
            "DELETE FROM claim /* any institution: */ WHERE end_s < $1",
            "DELETE FROM claim WHERE end_s < $1 /* any institution: it is over */",
            "SELECT 1 FROM visit /* any institution: so it is */ JOIN claim ON claim.visit = visit.id",
        ],
    );
}

#[test]
fn a_table_that_only_the_program_knows_is_not_held() {
    not_held("{}", &["DELETE FROM {} WHERE institution = $1"]);
    held(&["SELECT {} FROM visit WHERE institution = $1 ORDER BY {}"]);
}
