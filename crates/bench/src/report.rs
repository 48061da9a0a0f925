//! Runs the scenarios, each in a process of its own, and writes their tables into a page between its markers. The prose
//! around them is left as it is.

mod tables;

use crate::cli;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    env, fs,
    process::{Command, Stdio},
};
use tables::{TABLES, Table};

/// True if a run lost, doubled or reordered something.
pub fn run(options: &cli::Report) -> Result<bool> {
    let chosen = choose(&options.only)?;
    let page = fs::read_to_string(&options.out).with_context(|| format!("{} can't be read", options.out.display()))?;
    // Before the runs: they take minutes.
    for table in &chosen {
        between(&page, table.name)?;
    }
    let figures = match &options.from {
        Some(file) => read(&fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?)?,
        None => chosen
            .iter()
            .flat_map(|table| table.runs)
            .map(|arguments| measure(arguments))
            .collect::<Result<_>>()?,
    };
    if let Some(file) = &options.keep {
        let lines: Vec<_> = figures.iter().map(Value::to_string).collect();
        fs::write(file, lines.join("\n") + "\n").with_context(|| format!("{} can't be written", file.display()))?;
    }
    let mut page = page;
    for table in chosen {
        let of_table: Vec<_> = figures.iter().filter(|one| one["scenario"] == table.scenario).collect();
        if !of_table.is_empty() {
            page = replace(&page, table.name, &table.text(&of_table))?;
        }
    }
    fs::write(&options.out, page).with_context(|| format!("{} can't be written", options.out.display()))?;
    Ok(figures.iter().any(broken))
}

fn choose(only: &[String]) -> Result<Vec<&'static Table>> {
    let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no table {unknown}: choose from {}", names.join(", "));
    }
    let chosen = |table: &&Table| only.is_empty() || only.iter().any(|name| name == table.name);
    Ok(TABLES.iter().filter(chosen).collect())
}

/// One run in a process of its own, so that it finds neither memory nor sockets of the one before.
fn measure(arguments: &str) -> Result<Value> {
    eprintln!("{arguments} …");
    let output = Command::new(env::current_exe()?)
        .args(arguments.split(' '))
        .arg("--json")
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .last()
        .with_context(|| format!("heliograph-bench {arguments} ended without figures ({})", output.status))?;
    eprintln!("{line}");
    Ok(serde_json::from_str(line)?)
}

fn read(lines: &str) -> Result<Vec<Value>> {
    let objects = lines.lines().filter(|line| line.starts_with('{'));
    Ok(objects.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn broken(figures: &Value) -> bool {
    ["lost", "doubled", "reordered"]
        .iter()
        .any(|name| figures[name].as_u64().is_some_and(|count| count > 0))
}

/// Where the text between a table's markers begins and ends.
fn between(page: &str, name: &str) -> Result<(usize, usize)> {
    let (open, close) = (format!("<!-- bench:{name} -->"), format!("<!-- /bench:{name} -->"));
    let begin = page.find(&open).map(|at| at + open.len());
    let end = begin.and_then(|begin| page[begin..].find(&close).map(|at| begin + at));
    begin
        .zip(end)
        .with_context(|| format!("the page has no {open} … {close}: write both where the table is to stand"))
}

fn replace(page: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = between(page, name)?;
    Ok(format!("{}\n{table}{}", &page[..begin], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Figures\n\nBefore.\n\n<!-- bench:idle -->\nold\n<!-- /bench:idle -->\n\nAfter.\n";

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let page = replace(PAGE, "idle", "| new |\n").unwrap();
        assert_eq!(
            page,
            "# Figures\n\nBefore.\n\n<!-- bench:idle -->\n| new |\n<!-- /bench:idle -->\n\nAfter.\n"
        );
        assert_eq!(replace(&page, "idle", "| new |\n").unwrap(), page);
    }

    #[test]
    fn a_page_without_the_markers_is_left_alone() {
        let error = replace(PAGE, "soak", "").unwrap_err().to_string();
        assert!(error.contains("<!-- bench:soak -->"), "{error}");
        assert!(replace("<!-- /bench:idle --><!-- bench:idle -->", "idle", "").is_err());
    }

    #[test]
    fn the_documentation_has_a_place_for_every_table() {
        let page = include_str!("../../../docs/PERFORMANCE.md");
        for table in TABLES {
            between(page, table.name).unwrap();
        }
    }

    #[test]
    fn an_unknown_table_is_told_with_the_known_ones() {
        let error = choose(&["rely".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("rely") && error.contains("relay"), "{error}");
        assert_eq!(choose(&[]).unwrap().len(), TABLES.len());
    }

    #[test]
    fn figures_of_earlier_runs_are_read_and_other_lines_are_not() {
        let figures = read("text\n{\"scenario\":\"idle\",\"lost\":1}\n").unwrap();
        assert_eq!(figures.len(), 1);
        assert!(broken(&figures[0]));
    }
}
