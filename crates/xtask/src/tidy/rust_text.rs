//! A Rust file taken apart, as far as the checks need it: code without comments and texts, and the string literals.

use std::ops::Range;

pub struct RustText {
    /// The file with every comment and the inside of every text blanked; lines stay where they are.
    pub code: String,
    pub literals: Vec<Literal>,
}

/// A string literal.
pub struct Literal {
    pub text: String,
    /// Where it stands in [`RustText::code`], from quote to quote.
    pub place: Range<usize>,
}

impl RustText {
    pub fn new(text: &str) -> Self {
        let mut scan = Scan {
            rest: text,
            result: Self {
                code: String::new(),
                literals: Vec::new(),
            },
        };
        while scan.step() {}
        scan.result
    }

    /// Numbered from 1.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

struct Scan<'a> {
    rest: &'a str,
    result: RustText,
}

impl<'a> Scan<'a> {
    /// Takes one comment, one text or one character; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        let in_name = self.result.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some((open, close)) = (!in_name).then(|| raw_text(self.rest)).flatten() {
            let length = self.rest[open..].find(&close).unwrap_or(self.rest.len() - open);
            self.literal(open, length, close.len());
        } else if first == '"' {
            self.literal(1, quoted(&self.rest[1..], '"'), 1);
        } else if first == '\'' && is_character(self.rest) {
            let length = quoted(&self.rest[1..], '\'');
            self.blank(length + 2);
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    fn literal(&mut self, open: usize, length: usize, close: usize) {
        let text = self.rest[open..open + length].to_owned();
        let start = self.result.code.len();
        self.keep(open);
        self.blank(length);
        self.keep(close);
        let place = start..self.result.code.len();
        self.result.literals.push(Literal { text, place });
    }

    fn keep(&mut self, length: usize) {
        let taken = self.take(length);
        self.result.code.push_str(taken);
    }

    fn blank(&mut self, length: usize) {
        let taken = self.take(length);
        self.result
            .code
            .extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// The length of the comment at the start of the text; such comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `r#"…"#`: the length up to the quote, and what closes it.
fn raw_text(text: &str) -> Option<(usize, String)> {
    let after = text
        .strip_prefix('r')
        .or_else(|| text.strip_prefix("br"))
        .or_else(|| text.strip_prefix("cr"))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let open = after[hashes..].strip_prefix('"')?;
    Some((text.len() - open.len(), format!("\"{}", "#".repeat(hashes))))
}

/// The length of the text up to the quote that is not escaped.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// `'a'` or `'\n'`, and not the lifetime `'a`.
fn is_character(text: &str) -> bool {
    let mut inside = text.chars().skip(1);
    inside.next() == Some('\\') || inside.next() == Some('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        RustText::new(text).code
    }

    #[test]
    fn comments_and_texts_are_blanked_and_lines_stay() {
        assert_eq!(code("a // b\nc /* d\n/* e */ f */ g"), "a     \nc     \n             g");
        assert_eq!(code(r#"x("a \" b", 'c', '"') + y"#), r#"x("      ",    ,    ) + y"#);
        assert_eq!(code("r#\"a \" b\"# 'static"), "r#\"     \"# 'static");
        assert_eq!(code("for\"é\""), "for\" \"");
    }

    #[test]
    fn literals_have_their_place_and_text() {
        let text = RustText::new("let a = \"one\n two\"; 'é';\n// \"no\"\nlet b = r#\"thr\"ee\"#;");
        let found: Vec<_> = text
            .literals
            .iter()
            .map(|l| (&text.code[l.place.clone()], l.text.as_str()))
            .collect();
        assert_eq!(found, [("\"   \n    \"", "one\n two"), ("r#\"      \"#", "thr\"ee")]);
    }

    #[test]
    fn text_that_never_ends_ends_the_scan() {
        assert_eq!(code("a \"b"), "a \" ");
        assert_eq!(code("a /* b"), "a     ");
        assert_eq!(code("r#\"b"), "r#\" ");
    }
}
