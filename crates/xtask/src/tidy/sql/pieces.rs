//! The texts of a Rust file as the program sees them: `concat!`, `format!`, constants and macros put together.

use std::collections::{BTreeMap, BTreeSet};

use super::statement::UNKNOWN;
use crate::tidy::rust_text::RustText;

/// Constants and macros may name each other, and never so deep.
const DEEPEST: usize = 16;

/// A whole text and the line where it begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    pub line: usize,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(char),
    /// A string literal, with what it means.
    Text(String),
}

#[derive(Debug, Clone)]
struct Placed {
    line: usize,
    token: Token,
}

/// The names of a file that stand for texts: each with the tokens of its value.
#[derive(Default)]
struct Names {
    constants: BTreeMap<String, Vec<Placed>>,
    macros: BTreeMap<String, Vec<Placed>>,
}

/// Every text of the file. What is only a part of others stands in them and not for itself.
pub fn texts(file: &RustText) -> Vec<Whole> {
    let tokens = tokens(file);
    let (names, values) = names(&tokens);
    let parts = parts(&tokens, &names);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((name, end)) = values.get(&at)
            && parts.contains(name)
        {
            at = *end;
            continue;
        }
        let line = tokens[at].line;
        if joins(&tokens, at) {
            let (text, end) = names.value(&tokens, at, 0);
            found.push(Whole { line, text });
            at = end;
        } else {
            if let Token::Text(text) = &tokens[at].token {
                let text = names.filled(text, 0);
                found.push(Whole { line, text });
            }
            at += 1;
        }
    }
    found
}

/// Does `concat!(` or `format!(` stand here?
fn joins(tokens: &[Placed], at: usize) -> bool {
    ["concat", "format"].iter().any(|name| is_word(tokens, at, name)) && is_symbol(tokens, at + 1, '!')
}

fn is_word(tokens: &[Placed], at: usize, wanted: &str) -> bool {
    matches!(tokens.get(at), Some(Placed { token: Token::Word(word), .. }) if word == wanted)
}

fn is_symbol(tokens: &[Placed], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(Placed { token: Token::Symbol(symbol), .. }) if *symbol == wanted)
}

fn tokens(file: &RustText) -> Vec<Placed> {
    let mut found = Vec::new();
    let mut literals = file.literals.iter().peekable();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = file.code[at..].chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = if let Some(literal) = literals.next_if(|literal| literal.place.start == at) {
            let token = Token::Text(meaning(&literal.text));
            found.push(Placed { line, token });
            literal.place.end
        } else if is_name(first) {
            let end = file.code[at..]
                .find(|c| !is_name(c))
                .map_or(file.code.len(), |n| at + n);
            let token = Token::Word(file.code[at..end].to_owned());
            found.push(Placed { line, token });
            end
        } else {
            if !first.is_whitespace() {
                let token = Token::Symbol(first);
                found.push(Placed { line, token });
            }
            at + first.len_utf8()
        };
        line += file.code[at..end].matches('\n').count();
        at = end;
    }
    found
}

/// A literal without its escapes, as far as SQL has any.
fn meaning(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                // The line goes on at its first word.
                Some('\n') => while rest.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n' | 't' | 'r') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

/// Constants, bindings and macros with their values, and the places of those: where each begins, whose it is, its end.
fn names(tokens: &[Placed]) -> (Names, BTreeMap<usize, (String, usize)>) {
    let (mut names, mut places) = (Names::default(), BTreeMap::new());
    for at in 0..tokens.len() {
        let word = |wanted| is_word(tokens, at, wanted);
        if word("macro_rules")
            && let Some(name) = word_at(tokens, at + 2)
            && let Some(start) = (at..tokens.len()).find(|at| is_symbol(tokens, *at, '>'))
        {
            let (start, end) = (start + 2, closing(tokens, start + 1));
            names.macros.insert(name.clone(), tokens[start..end].to_vec());
            places.insert(start, (name, end));
        }
        if (word("const") || word("static") || word("let"))
            && let Some(name) = word_at(tokens, at + 1 + usize::from(is_word(tokens, at + 1, "mut")))
            && let Some(end) = (at..tokens.len()).find(|at| is_symbol(tokens, *at, ';'))
            && let Some(start) = (at..end).find(|at| is_symbol(tokens, *at, '='))
        {
            names.constants.insert(name.clone(), tokens[start + 1..end].to_vec());
            places.insert(start + 1, (name, end));
        }
    }
    (names, places)
}

fn word_at(tokens: &[Placed], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(Placed {
            token: Token::Word(word),
            ..
        }) => Some(word.clone()),
        Some(_) | None => None,
    }
}

/// Where the bracket that opens at `at` is closed.
fn closing(tokens: &[Placed], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, placed) in tokens.iter().enumerate().skip(at) {
        match placed.token {
            Token::Symbol('(' | '[' | '{') => depth += 1,
            Token::Symbol(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Symbol(_) | Token::Word(_) | Token::Text(_) => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// The names whose texts are only ever put into others.
fn parts(tokens: &[Placed], names: &Names) -> BTreeSet<String> {
    let (mut put, mut alone) = (BTreeSet::new(), BTreeSet::new());
    let mut joined_until = 0;
    for (at, placed) in tokens.iter().enumerate() {
        if joins(tokens, at) {
            joined_until = joined_until.max(closing(tokens, at + 2));
        }
        match &placed.token {
            Token::Word(word) if names.macros.contains_key(word) && is_symbol(tokens, at + 1, '!') => {
                if at < joined_until { &mut put } else { &mut alone }.insert(word.clone());
            }
            Token::Word(word) if names.constants.contains_key(word) => {
                let defined = ["const", "static", "let", "mut"]
                    .iter()
                    .any(|kind| at > 0 && is_word(tokens, at - 1, kind));
                if !defined {
                    if at < joined_until { &mut put } else { &mut alone }.insert(word.clone());
                }
            }
            Token::Text(text) => put.extend(placeholders(text).map(|(_, name)| name.to_owned())),
            Token::Word(_) | Token::Symbol(_) => {}
        }
    }
    put.retain(|name| !alone.contains(name));
    put
}

/// The places and names of `{name}` in a text.
fn placeholders(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    let opened = text.match_indices('{').map(|(at, _)| at);
    opened.filter_map(move |open| {
        let close = open + text[open..].find('}')?;
        let name = text[open + 1..close].split(':').next().unwrap_or_default().trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then_some((open..close + 1, name))
    })
}

impl Names {
    /// The text of the expression that begins at `at`, and where it ends.
    fn value(&self, tokens: &[Placed], at: usize, depth: usize) -> (String, usize) {
        let end = expression_end(tokens, at);
        let unknown = (UNKNOWN.to_owned(), end);
        if depth > DEEPEST {
            return unknown;
        }
        match tokens.get(at).map(|placed| &placed.token) {
            Some(Token::Symbol('&')) => self.value(tokens, at + 1, depth),
            Some(Token::Text(text)) if end == at + 1 => (self.filled(text, depth), end),
            Some(Token::Word(_)) if joins(tokens, at) => {
                let close = closing(tokens, at + 2);
                let parts = self.arguments(tokens, at + 3, close, depth);
                let text = if is_word(tokens, at, "concat") {
                    parts.concat()
                } else {
                    fill(parts)
                };
                (text, close + 1)
            }
            Some(Token::Word(name)) if is_symbol(tokens, at + 1, '!') => match self.macros.get(name) {
                Some(body) => (self.value(body, 0, depth + 1).0, end),
                None => unknown,
            },
            Some(Token::Word(name)) if end == at + 1 => match self.constants.get(name) {
                Some(value) => (self.value(value, 0, depth + 1).0, end),
                None => unknown,
            },
            Some(Token::Word(_) | Token::Symbol(_) | Token::Text(_)) | None => unknown,
        }
    }

    fn arguments(&self, tokens: &[Placed], from: usize, close: usize, depth: usize) -> Vec<String> {
        let (mut found, mut at) = (Vec::new(), from);
        while at < close {
            let (text, _) = self.value(&tokens[..close], at, depth + 1);
            found.push(text);
            at = expression_end(&tokens[..close], at) + 1;
        }
        found
    }

    /// The text with every `{NAME}` that is known put in.
    fn filled(&self, text: &str, depth: usize) -> String {
        let (mut filled, mut done) = (String::new(), 0);
        for (place, name) in placeholders(text) {
            let Some(value) = self.constants.get(name).filter(|_| depth < DEEPEST) else {
                continue;
            };
            filled.push_str(&text[done..place.start]);
            filled.push_str(&self.value(value, 0, depth + 1).0);
            done = place.end;
        }
        filled + &text[done..]
    }
}

/// The first comma or closing bracket that does not belong to the expression.
fn expression_end(tokens: &[Placed], at: usize) -> usize {
    let mut at = at;
    while let Some(placed) = tokens.get(at) {
        match placed.token {
            Token::Symbol('(' | '[' | '{') => at = closing(tokens, at) + 1,
            Token::Symbol(',' | ')' | ']' | '}' | ';') => break,
            Token::Symbol(_) | Token::Word(_) | Token::Text(_) => at += 1,
        }
    }
    at.min(tokens.len())
}

/// `format!`: each `{}` is the next argument.
fn fill(mut parts: Vec<String>) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let text = parts.remove(0);
    let mut parts = parts.into_iter();
    let mut pieces = text.split(UNKNOWN);
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        filled.push_str(&parts.next().unwrap_or_else(|| UNKNOWN.to_owned()));
        filled.push_str(piece);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        texts(&RustText::new(source))
            .into_iter()
            .map(|whole| whole.text)
            .collect()
    }

    #[test]
    fn literals_stand_for_themselves_at_their_line() {
        let whole = texts(&RustText::new(
            "const A: &str =\n  \"a \\\n   b\\\"\"; // \"no\"\nf(\"c\")",
        ));
        let expected = [(2, "a b\""), (4, "c")].map(|(line, text)| Whole {
            line,
            text: text.to_owned(),
        });
        assert_eq!(whole, expected);
    }

    #[test]
    fn macros_and_concat_are_put_together() {
        let source = "macro_rules! a { () => { \"A \" }; }\nmacro_rules! b { () => { concat!(a!(), \"B \") }; }\n\
            const ALL: &str = concat!(b!(), \"C\", env!(\"X\"));";
        assert_eq!(found(source), ["A B C{}"]);
    }

    #[test]
    fn constants_are_put_into_formats() {
        let source = "const A: &str = \"A\"; let b = \"B\"; f(format!(\"{A} {b} {} {} {other}\", A, g(1, 2)));";
        assert_eq!(found(source), ["A B A {} {other}"]);
        assert_eq!(
            found("let sql = concat!(\"a\"); query(&sql); format!(\"{sql} b\")"),
            ["a", "a b"]
        );
    }

    #[test]
    fn a_macro_that_stands_alone_counts_for_itself() {
        let source = "macro_rules! a { () => { \"A\" }; }\nconst B: &str = a!(); query(a!())";
        assert_eq!(found(source), ["A"]);
    }

    #[test]
    fn what_never_ends_ends() {
        let source = "const A: &str = concat!(\"a\", B); const B: &str = concat!(A, \"b\"); format!(\"{A}\", (";
        assert!(!found(source).is_empty());
    }
}
