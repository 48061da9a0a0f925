//! Files that can still be read in one go.

use super::Finding;
use crate::{r#gen, tree::SourceFile};

const LIMITS: [(&[&str], usize); 3] = [
    (&["rs"], 700),
    (&["ts", "mts", "cts", "tsx", "svelte", "js", "mjs", "cjs"], 350),
    (&["css", "html", "sql"], 400),
];

pub fn check(file: &SourceFile) -> Option<Finding> {
    let (_, limit) = LIMITS
        .into_iter()
        .find(|(extensions, _)| file.has_extension(extensions))?;
    let lines = file.text.lines().count();
    if lines <= limit || r#gen::FILES.contains(&file.name.as_str()) {
        return None;
    }
    let text = format!(
        "{lines} lines, and {limit} are the limit, beyond which nobody reads a file whole: split it by concern"
    );
    Some(Finding::new(&file.name, limit + 1, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, lines: usize) -> Option<Finding> {
        check(&SourceFile {
            name: name.to_owned(),
            text: "x\n".repeat(lines),
        })
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(lines("crates/app/src/lib.rs", 700), None);
        assert_eq!(lines("crates/app/src/lib.rs", 701).unwrap().line, 701);
        for file in [
            "web-client/src/views/Call.svelte",
            "tests/browser/src/call.spec.ts",
            "web-client/a.mts",
        ] {
            assert_eq!(lines(file, 351).unwrap().line, 351, "{file}");
        }
        assert_eq!(lines("web-client/src/ui/base.css", 400), None);
        assert_eq!(lines("web-client/src/ui/base.css", 401).unwrap().line, 401);
    }

    #[test]
    fn generated_files_and_other_kinds_are_free() {
        assert_eq!(lines("web-client/src/api/schema.ts", 5000), None);
        assert_eq!(lines("docs/openapi.json", 5000), None);
    }
}
