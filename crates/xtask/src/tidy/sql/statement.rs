//! A SQL text taken apart, as far as it takes to see that every table of tenants in it is read or written for one
//! institution only.

mod query;
mod tokens;

use std::collections::BTreeSet;

use query::{Condition, Join, Query, Side, Table};
use tokens::{Token, tokens};

/// The column that says whose row it is.
pub const COLUMN: &str = "institution";
/// Words after a table's name that are not its alias.
const NOT_ALIASES: &[&str] = &[
    "as",
    "cross",
    "default",
    "do",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "outer",
    "returning",
    "right",
    "select",
    "set",
    "union",
    "using",
    "values",
    "where",
    "window",
    "with",
];

/// Words that end a condition, so that what was compared is not part of a longer expression.
const AFTER_CONDITION: &[&str] = &[
    "and",
    "cross",
    "except",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "returning",
    "right",
    "union",
    "where",
    "window",
];

/// What stands in the text for a part that only the running program knows.
pub const UNKNOWN: &str = "{}";

/// The tables of `tenants` that the text touches without being held to one institution, in the order of the text; a
/// table whose name is [`UNKNOWN`] is one of them.
pub fn unbound(sql: &str, tenants: &BTreeSet<String>) -> Vec<String> {
    let mut reader = Reader::new(sql);
    let held = reader.group(0, Clause::Other, true, false);
    reader.query.conditions.extend(held);
    reader.query.settle(tenants);
    let mut found = Vec::new();
    for Table { name, bound, .. } in &reader.query.tables {
        let tenants = name == UNKNOWN || tenants.contains(name);
        if tenants && !bound && !reader.free.contains(name) && !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    From,
    On,
    Where,
    Other,
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    query: Query,
    free: BTreeSet<String>,
    join: Join,
    /// The last table that rows are inserted into.
    inserted: Option<usize>,
}

impl Reader {
    fn new(sql: &str) -> Self {
        Self {
            tokens: tokens(sql),
            at: 0,
            query: Query::default(),
            free: BTreeSet::new(),
            join: Join::Inner,
            inserted: None,
        }
    }

    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    fn word(&self, at: usize) -> Option<&str> {
        match self.token(at) {
            Some(Token::Word(word)) => Some(word),
            Some(Token::Value | Token::Symbol(_) | Token::Constant | Token::AnyInstitution) | None => None,
        }
    }

    fn symbol(&self, at: usize, symbol: char) -> bool {
        self.token(at) == Some(&Token::Symbol(symbol))
    }

    /// The word before, if there is one.
    fn before(&self, at: usize) -> Option<&str> {
        at.checked_sub(1).and_then(|at| self.word(at))
    }

    /// Reads to the closing bracket or the end, and says what holds for every row. `counts`: what is compared here may
    /// do so; `inner`: the brackets stand within an expression, so that a comma in them begins no table.
    fn group(&mut self, outer: usize, clause: Clause, counts: bool, inner: bool) -> Vec<Condition> {
        let (mut scope, mut clause, mut inner) = (outer, clause, inner);
        let (mut held, mut open) = (Vec::new(), false);
        while let Some(token) = self.token(self.at).cloned() {
            let at = self.at;
            self.at += 1;
            match token {
                Token::Symbol('(') => held.extend(self.brackets(at, scope, clause, counts)),
                Token::Symbol(')') => break,
                Token::Symbol(',') if matches!(clause, Clause::From | Clause::On) && !inner => {
                    (clause, self.join) = (Clause::From, Join::Inner);
                    self.table(scope);
                }
                Token::Symbol('=') if matches!(clause, Clause::Where | Clause::On) => {
                    held.extend(self.condition(at, scope, clause));
                }
                Token::Word(word) => {
                    let verb = self.verb(at, &word);
                    if verb || self.ends_clause(at, &word) {
                        if counts && !open {
                            self.query.conditions.append(&mut held);
                        }
                        (held, open) = (Vec::new(), false);
                    }
                    if verb {
                        self.query.scopes.push(Some(outer));
                        (scope, clause, inner) = (self.query.scopes.len() - 1, Clause::Other, false);
                    }
                    match word.as_str() {
                        // Where one part of a condition is enough, no part of it holds for every row.
                        "or" | "case" => open = true,
                        "update" if verb => self.table(scope),
                        "into" => self.insert(scope),
                        "using" if self.symbol(self.at, '(') => self.using(scope),
                        "from" | "join" | "using" if self.ends_clause(at, &word) => {
                            (clause, inner) = (Clause::From, false);
                            self.table(scope);
                            self.join = if word == "join" { self.join_at(at) } else { Join::Inner };
                        }
                        "on" if self.word(self.at) == Some("conflict") => self.conflict(),
                        "on" => clause = Clause::On,
                        "where" => clause = Clause::Where,
                        _ if self.ends_clause(at, &word) => clause = Clause::Other,
                        _ => {}
                    }
                }
                Token::Symbol(_) | Token::Value | Token::Constant | Token::AnyInstitution => {}
            }
        }
        if counts && !open { held } else { Vec::new() }
    }

    fn brackets(&mut self, at: usize, scope: usize, clause: Clause, counts: bool) -> Vec<Condition> {
        let query = ["select", "insert", "update", "delete", "with", "values"];
        if self.word(self.at).is_some_and(|word| query.contains(&word)) {
            let held = self.group(scope, Clause::Other, true, false);
            self.query.conditions.extend(held);
            return Vec::new();
        }
        if clause == Clause::From && ["from", "join"].contains(&self.before(at).unwrap_or_default()) {
            self.table(scope);
            return self.group(scope, Clause::From, counts, false);
        }
        // Brackets around conditions, and not those of a function or after NOT.
        let plain = match at.checked_sub(1).and_then(|at| self.token(at)) {
            Some(Token::Word(word)) => ["where", "and", "on", "or"].contains(&word.as_str()),
            Some(Token::Symbol(symbol)) => *symbol == '(',
            Some(Token::Value | Token::Constant | Token::AnyInstitution) | None => false,
        };
        self.group(scope, clause, counts && plain, true)
    }

    /// Does the word begin a statement or a query?
    fn verb(&self, at: usize, word: &str) -> bool {
        let part = ["do", "for", "on"].contains(&self.before(at).unwrap_or_default());
        ["select", "insert", "delete", "update"].contains(&word) && !part
    }

    fn ends_clause(&self, at: usize, word: &str) -> bool {
        let ends = [
            "where",
            "from",
            "join",
            "using",
            "on",
            "set",
            "group",
            "order",
            "having",
            "limit",
            "returning",
            "union",
            "except",
            "intersect",
            "values",
            "window",
            "for",
            "offset",
            "fetch",
        ];
        // `a IS DISTINCT FROM b` compares.
        ends.contains(&word) && self.before(at) != Some("distinct")
    }

    /// What the JOIN at `at` is, whose table was read just now.
    fn join_at(&self, at: usize) -> Join {
        let before = [at.checked_sub(1), at.checked_sub(2)].map(|at| at.and_then(|at| self.word(at)));
        let is = |words: &[&str]| before.iter().flatten().any(|word| words.contains(word));
        if is(&["right", "full"]) {
            Join::Other
        } else if is(&["left"]) {
            self.query.tables.len().checked_sub(1).map_or(Join::Other, Join::Left)
        } else {
            Join::Inner
        }
    }

    /// A table's name and alias at the place that is read, if a name stands there.
    fn table(&mut self, scope: usize) {
        while ["only", "lateral", "table"]
            .iter()
            .any(|word| self.word(self.at) == Some(word))
        {
            self.at += 1;
        }
        let mut name = match self.token(self.at) {
            Some(Token::Word(name)) if name != "select" => name.clone(),
            Some(Token::Symbol('{')) => {
                self.at += 1;
                UNKNOWN.to_owned()
            }
            Some(Token::Word(_) | Token::Value | Token::Symbol(_) | Token::Constant | Token::AnyInstitution) | None => {
                return;
            }
        };
        self.at += 1;
        while self.symbol(self.at, '.') {
            name = self.word(self.at + 1).map(str::to_owned).unwrap_or_default();
            self.at += 2;
        }
        self.free(&name);
        let renamed = self.word(self.at) == Some("as");
        let alias = self.word(self.at + usize::from(renamed)).map(str::to_owned);
        let alias = alias.filter(|word| renamed || !NOT_ALIASES.contains(&word.as_str()));
        if alias.is_some() {
            self.at += 1 + usize::from(renamed);
            self.free(&name);
        }
        self.query.tables.push(Table {
            name,
            alias,
            scope,
            bound: false,
        });
    }

    /// The comment after a table's name that says that all institutions are meant.
    fn free(&mut self, name: &str) {
        if self.token(self.at) == Some(&Token::AnyInstitution) {
            self.free.insert(name.to_owned());
            self.at += 1;
        }
    }

    /// `INSERT INTO table (columns)`: the row says whose it is.
    fn insert(&mut self, scope: usize) {
        self.table(scope);
        self.inserted = self.query.tables.len().checked_sub(1);
        let bound = self
            .columns()
            .is_some_and(|columns| columns.iter().any(|c| c == COLUMN));
        if let Some(table) = self.query.tables.last_mut() {
            table.bound = bound;
        }
    }

    /// A list of columns in brackets, if one stands here.
    fn columns(&mut self) -> Option<Vec<String>> {
        if !self.symbol(self.at, '(') {
            return None;
        }
        let length = self.tokens[self.at..]
            .iter()
            .position(|token| *token == Token::Symbol(')'))?;
        let list = &self.tokens[self.at..self.at + length];
        let columns = list.iter().filter_map(|token| match token {
            Token::Word(word) => Some(word.clone()),
            Token::Value | Token::Symbol(_) | Token::Constant | Token::AnyInstitution => None,
        });
        let columns = columns.collect();
        self.at += length + 1;
        Some(columns)
    }

    /// `ON CONFLICT (columns) DO UPDATE`: the row that is changed instead may be another institution's.
    fn conflict(&mut self) {
        self.at += 1;
        let own = self
            .columns()
            .is_some_and(|columns| columns.iter().any(|c| c == COLUMN));
        let updates = self.tokens[self.at..]
            .windows(2)
            .any(|pair| pair[0].is("do") && pair[1].is("update"));
        if let Some(table) = self.inserted.filter(|_| updates && !own) {
            self.query.tables[table].bound = false;
        }
    }

    /// `JOIN b USING (institution, id)`: as the tables before.
    fn using(&mut self, scope: usize) {
        if !self
            .columns()
            .is_some_and(|columns| columns.iter().any(|c| c == COLUMN))
        {
            return;
        }
        let mut here = self.query.tables.iter().filter(|table| table.scope == scope);
        let column = |table: &Table| Side::Column(Some(table.alias.as_ref().unwrap_or(&table.name).clone()));
        if let (Some(first), Some(last)) = (here.next().map(column), here.next_back().map(column)) {
            self.query.conditions.push(Condition {
                scope,
                sides: [first, last],
                join: self.join,
            });
        }
    }

    /// What the `=` at `at` compares, if it is the institution with a value or with that of another table.
    fn condition(&self, at: usize, scope: usize, clause: Clause) -> Option<Condition> {
        let (left, start) = self.left_of(at)?;
        let (right, end) = self.right_of(at)?;
        let begins = match start.checked_sub(1).and_then(|at| self.token(at)) {
            Some(Token::Word(word)) => ["where", "and", "on"].contains(&word.as_str()),
            Some(Token::Symbol(symbol)) => *symbol == '(',
            Some(Token::Value | Token::Constant | Token::AnyInstitution) | None => false,
        };
        let ends = match self.token(end) {
            Some(Token::Word(word)) => AFTER_CONDITION.contains(&word.as_str()),
            Some(Token::Symbol(symbol)) => [')', ';', ','].contains(symbol),
            Some(Token::AnyInstitution) | None => true,
            Some(Token::Value | Token::Constant) => false,
        };
        (begins && ends).then(|| Condition {
            scope,
            sides: [left, right],
            join: if clause == Clause::On { self.join } else { Join::Inner },
        })
    }

    fn left_of(&self, at: usize) -> Option<(Side, usize)> {
        let last = at.checked_sub(1)?;
        match self.token(last)? {
            Token::Value => Some((Side::Value, last)),
            Token::Word(word) if word == COLUMN => match last.checked_sub(2) {
                Some(first) if self.symbol(last - 1, '.') => {
                    Some((Side::Column(Some(self.word(first)?.to_owned())), first))
                }
                Some(_) | None => Some((Side::Column(None), last)),
            },
            Token::Word(_) | Token::Symbol(_) | Token::Constant | Token::AnyInstitution => None,
        }
    }

    fn right_of(&self, at: usize) -> Option<(Side, usize)> {
        let first = at + 1;
        match self.token(first)? {
            Token::Value => Some((Side::Value, first + 1)),
            Token::Word(word) if word == COLUMN => Some((Side::Column(None), first + 1)),
            Token::Word(word) => (self.symbol(first + 1, '.') && self.word(first + 2) == Some(COLUMN))
                .then(|| (Side::Column(Some(word.clone())), first + 3)),
            Token::Symbol(_) | Token::Constant | Token::AnyInstitution => None,
        }
    }
}

#[cfg(test)]
mod tests;
