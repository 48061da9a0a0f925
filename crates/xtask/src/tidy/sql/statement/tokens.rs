//! The words of a SQL text, without its comments.

/// What says that all institutions are meant, and why.
const ANY: &str = "any institution:";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// `$1`, `?` or `:name`: a value that the program gives.
    Value,
    Symbol(char),
    /// A text or a number.
    Constant,
    /// `/* any institution: why */`
    AnyInstitution,
}

impl Token {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own == word)
    }
}

pub fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let until = |text: &str, end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
        let length = if rest.starts_with("--") {
            until(rest, "\n")
        } else if rest.starts_with("/*") {
            let length = until(rest, "*/");
            let comment = rest[2..length].trim_end_matches("*/").trim();
            if comment.strip_prefix(ANY).is_some_and(|why| !why.trim().is_empty()) {
                tokens.push(Token::AnyInstitution);
            }
            length
        } else if first == '\'' {
            tokens.push(Token::Constant);
            1 + until(&rest[1..], "'")
        } else if first == '"' {
            let length = 1 + until(&rest[1..], "\"");
            tokens.push(Token::Word(rest[1..length].trim_end_matches('"').to_lowercase()));
            length
        } else if matches!(first, '$' | '?') || (first == ':' && rest[1..].starts_with(is_name)) {
            tokens.push(Token::Value);
            1 + rest[1..].find(|c| !is_name(c)).unwrap_or(rest.len() - 1)
        } else if is_name(first) {
            let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            tokens.push(if first.is_ascii_digit() {
                Token::Constant
            } else {
                Token::Word(rest[..length].to_lowercase())
            });
            length
        } else if let Some(cast) = rest.strip_prefix("::") {
            // A cast changes no value: the type goes with it.
            rest.len() - cast.trim_start().trim_start_matches(is_name).len()
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Symbol(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}
