//! Every statement on a table of tenants says which institution.

use std::collections::BTreeSet;

use super::{Finding, rust_text::RustText};
use crate::tree::SourceFile;

pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let in_store = |file: &&SourceFile| file.package() == Some("store");
    let migrations = files.iter().filter(in_store).filter(|f| f.has_extension(&["sql"]));
    let tables: BTreeSet<String> = migrations.flat_map(|f| tenant_tables(&f.text)).collect();
    let sources = files
        .iter()
        .filter(in_store)
        .filter(|f| f.has_extension(&["rs"]) && f.name.starts_with("crates/store/src/"));
    sources.flat_map(|file| check_source(file, &tables)).collect()
}

fn check_source(file: &SourceFile, tables: &BTreeSet<String>) -> Vec<Finding> {
    let findings = RustText::new(&file.text).literals.into_iter().filter_map(|literal| {
        let table = tables_touched(&literal.text)
            .into_iter()
            .find(|table| tables.contains(table))?;
        let text = format!(
            "SQL on `{table}` without `institution`, so that one institution could reach another's rows: \
             say `AND institution = $n`, or `/* any institution: <why> */` in the SQL where it means all of them"
        );
        (!words(&literal.text).any(|word| word == "institution")).then(|| Finding::new(&file.name, literal.line, text))
    });
    findings.collect()
}

/// The tables with a column `institution`.
fn tenant_tables(migration: &str) -> Vec<String> {
    let without_comments: String = migration
        .lines()
        .map(|line| line.split("--").next().unwrap_or("").to_owned() + "\n")
        .collect();
    let mut tables = Vec::new();
    for statement in without_comments.split(';') {
        let words: Vec<String> = words(statement)
            .filter(|w| !["if", "not", "exists"].contains(&w.as_str()))
            .collect();
        if let [verb, kind, name, columns @ ..] = &words[..]
            && (verb == "create" || verb == "alter")
            && kind == "table"
            && columns.iter().any(|word| word == "institution")
        {
            tables.push(name.clone());
        }
    }
    tables
}

/// The names that follow FROM, INTO, UPDATE and JOIN.
fn tables_touched(sql: &str) -> Vec<String> {
    let words: Vec<String> = words(sql).collect();
    let follows = |pair: &[String]| {
        ["from", "into", "update", "join"]
            .contains(&pair[0].as_str())
            .then(|| pair[1].clone())
    };
    words.windows(2).filter_map(follows).collect()
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
        CREATE TABLE node (id TEXT);
        ALTER TABLE node ADD COLUMN seen_s INTEGER;
        CREATE INDEX visit_by_start ON visit (institution, start_s);";

    fn found(source: &str) -> Vec<String> {
        let file = |name: &str, text: &str| SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let files = [
            file("crates/store/migrations/sqlite/0001_start.sql", MIGRATION),
            file("crates/store/src/visits.rs", source),
        ];
        check(&files).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn tables_of_tenants_are_read_from_the_migrations() {
        assert_eq!(tenant_tables(MIGRATION), ["visit"]);
        assert_eq!(tenant_tables("ALTER TABLE node ADD COLUMN institution TEXT;"), ["node"]);
    }

    #[test]
    fn a_statement_without_institution_is_found() {
        let found = found("const A: &str = \"\";\nconst B: &str = \"SELECT id FROM visit WHERE id = $1\";");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/store/src/visits.rs:2: SQL on `visit` without `institution`"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn statements_with_institution_and_other_tables_pass() {
        assert_eq!(
            found("\"UPDATE visit SET x = 1 WHERE institution = $1\"; \"DELETE FROM node\"; \"from visit_old\""),
            [] as [&str; 0]
        );
    }
}
