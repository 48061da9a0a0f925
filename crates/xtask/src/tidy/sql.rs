//! Every statement on a table of tenants is held to one institution, and every table is one of tenants unless it is listed.

mod pieces;
mod statement;

use std::collections::BTreeSet;

use super::{Finding, rust_text::RustText};
use crate::tree::SourceFile;

/// Tables that belong to no tenant, and why.
const OF_NO_TENANT: &[(&str, &str)] = &[
    ("meta", "facts of the database itself"),
    ("institution", "the tenants"),
    ("resource", "one human's time, whoever they work for; it names nobody"),
    (
        "link_home",
        "tells a link's institution to those who know the link only",
    ),
];

pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let in_store = |file: &&SourceFile| file.package() == Some("store");
    let migrations = files.iter().filter(in_store).filter(|f| f.has_extension(&["sql"]));
    let tables: Vec<(&SourceFile, Table)> = migrations
        .flat_map(|file| tables(&file.text).into_iter().map(move |table| (file, table)))
        .collect();
    let tenants = tenants(tables.iter().map(|(_, table)| table));
    let mut findings: Vec<Finding> = tables
        .iter()
        .filter_map(|(file, table)| unlisted(file, table, &tenants))
        .collect();
    let sources = files
        .iter()
        .filter(in_store)
        .filter(|f| f.has_extension(&["rs"]) && f.name.starts_with("crates/store/src/"));
    findings.extend(sources.flat_map(|file| check_source(file, &tenants)));
    findings
}

fn check_source(file: &SourceFile, tenants: &BTreeSet<String>) -> Vec<Finding> {
    let finding = |whole: &pieces::Whole, table: &str| {
        let text = if table == statement::UNKNOWN {
            "SQL on a table whose name is made when the program runs, so that nobody sees whose rows it reaches: write the \
             name out, in a constant if need be"
                .to_owned()
        } else {
            format!(
                "SQL on `{table}` that is not held to one `institution`, so that one institution could reach another's rows: \
                 say `AND {table}.institution = $n` or join on it, and outside of OR; or write \
                 `/* any institution: <why> */` after the table's name where it means all of them"
            )
        };
        Finding::new(&file.name, whole.line, text)
    };
    let texts = pieces::texts(&RustText::new(&file.text));
    let found = |whole: &pieces::Whole| {
        let tables = statement::unbound(&whole.text, tenants);
        tables.iter().map(|table| finding(whole, table)).collect::<Vec<_>>()
    };
    texts.iter().flat_map(found).collect()
}

/// What a migration says of a table.
struct Table {
    name: String,
    line: usize,
    /// Made here, and not only changed.
    made: bool,
    /// Has or gets the column `institution`.
    of_tenants: bool,
}

fn tenants<'a>(tables: impl Iterator<Item = &'a Table>) -> BTreeSet<String> {
    let of_tenants = tables.filter(|table| table.of_tenants && !is_listed(&table.name));
    of_tenants.map(|table| table.name.clone()).collect()
}

fn is_listed(table: &str) -> bool {
    OF_NO_TENANT.iter().any(|(name, _)| *name == table)
}

/// A new table without the column, of which nobody said that this is right.
fn unlisted(file: &SourceFile, table: &Table, tenants: &BTreeSet<String>) -> Option<Finding> {
    let Table { name, line, made, .. } = table;
    let text = format!(
        "the table `{name}` has no column `institution`, so that nothing tells whose rows are whose: add the column, at the \
         beginning of its keys; or list the table with the reason in crates/xtask/src/tidy/sql.rs"
    );
    (*made && !tenants.contains(name) && !is_listed(name)).then(|| Finding::new(&file.name, *line, text))
}

/// The tables that a migration makes or changes.
fn tables(migration: &str) -> Vec<Table> {
    let code: String = migration
        .lines()
        .map(|line| line.split("--").next().unwrap_or("").to_owned() + "\n")
        .collect();
    let mut found = Vec::new();
    let mut line = 1;
    for statement in code.split(';') {
        let before = statement.len() - statement.trim_start().len();
        let begins = line + statement[..before].matches('\n').count();
        line += statement.matches('\n').count();
        let words: Vec<String> = words(statement)
            .filter(|w| !["if", "not", "exists", "only"].contains(&w.as_str()))
            .collect();
        let [verb, kind, name, rest @ ..] = &words[..] else {
            continue;
        };
        if kind != "table" || !(verb == "create" || verb == "alter") {
            continue;
        }
        let made = verb == "create";
        let added = rest.iter().position(|word| word == "add").is_some_and(|at| {
            let named = rest[at + 1..].iter().find(|word| *word != "column");
            named.is_some_and(|name| name == statement::COLUMN)
        });
        found.push(Table {
            name: name.clone(),
            line: begins,
            made,
            of_tenants: added || (made && columns(statement).any(|column| column == statement::COLUMN)),
        });
    }
    found
}

/// The first words of what stands between the outer brackets: columns, and the kinds of constraints.
fn columns(statement: &str) -> impl Iterator<Item = String> {
    let (mut depth, mut items, mut item) = (0_usize, Vec::new(), String::new());
    for c in statement.chars() {
        match c {
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => items.push(std::mem::take(&mut item)),
            c if depth > 0 => item.push(c),
            _ => {}
        }
        depth += usize::from(c == '(');
    }
    items.push(item);
    items.into_iter().filter_map(|item| words(&item).next())
}

fn words(sql: &str) -> impl Iterator<Item = String> {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATION: &str = "
        -- CREATE TABLE old (institution TEXT);
        CREATE TABLE institution (id TEXT PRIMARY KEY) STRICT;
        CREATE TABLE IF NOT EXISTS visit (institution TEXT NOT NULL, id TEXT, PRIMARY KEY (institution, id));
        CREATE TABLE meta (key TEXT);
        ALTER TABLE meta ADD COLUMN seen_s INTEGER;
        CREATE INDEX visit_by_start ON visit (institution, start_s);";

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn found(migration: &str, source: &str) -> Vec<String> {
        let files = [
            file("crates/store/migrations/sqlite/0001_start.sql", migration),
            file("crates/store/src/visits.rs", source),
        ];
        check(&files).iter().map(Finding::to_string).collect()
    }

    fn of_tenants(migration: &str) -> Vec<String> {
        tenants(tables(migration).iter()).into_iter().collect()
    }

    #[test]
    fn tables_of_tenants_are_read_from_the_migrations() {
        assert_eq!(of_tenants(MIGRATION), ["visit"]);
        assert_eq!(
            of_tenants("ALTER TABLE ONLY node ADD COLUMN institution TEXT;"),
            ["node"]
        );
        let refers = "CREATE TABLE note (id TEXT, a TEXT REFERENCES institution (id), CHECK (a > institution));";
        assert_eq!(of_tenants(refers), [] as [&str; 0]);
    }

    #[test]
    fn a_new_table_without_the_column_is_found_unless_it_is_listed() {
        let found = found(&format!("{MIGRATION}\n\n    CREATE TABLE note (id TEXT);"), "");
        assert_eq!(found.len(), 1);
        let place = "crates/store/migrations/sqlite/0001_start.sql:9: the table `note` has no column";
        assert!(found[0].starts_with(place), "{}", found[0]);
    }

    #[test]
    fn a_statement_that_is_not_held_is_found_at_its_line() {
        let found = found(
            MIGRATION,
            "const A: &str = \"\";\nconst B: &str = \"SELECT institution FROM visit WHERE id = $1\";",
        );
        assert_eq!(found.len(), 1);
        let place = "crates/store/src/visits.rs:2: SQL on `visit` that is not held to one `institution`";
        assert!(found[0].starts_with(place), "{}", found[0]);
    }

    #[test]
    fn a_statement_is_looked_at_whole() {
        let source = "macro_rules! start { () => { \"SELECT id FROM visit WHERE \" }; }\n\
            const GOOD: &str = concat!(start!(), \"institution = $1\");\n\
            const BAD: &str = concat!(start!(), \"id = $1\");\n\
            const START: &str = \"SELECT id FROM visit WHERE \";\n\
            fn f() { query(format!(\"{START} institution = $1\")); query(format!(\"{} id = $1\", START)) }";
        let lines: Vec<_> = found(MIGRATION, source)
            .iter()
            .map(|finding| finding.split(':').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(lines, ["3", "5"]);
    }

    #[test]
    fn statements_that_are_held_and_other_tables_pass() {
        let source = "\"UPDATE visit SET x = 1 WHERE institution = $1\"; \"DELETE FROM meta\"; \"from visit_old\"";
        assert_eq!(found(MIGRATION, source), [] as [&str; 0]);
    }
}
