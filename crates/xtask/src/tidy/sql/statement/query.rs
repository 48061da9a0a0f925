//! The tables and conditions of a SQL text, and which tables those hold to one institution.

use std::collections::BTreeSet;

/// One place where a statement names a table.
pub struct Table {
    pub name: String,
    pub alias: Option<String>,
    pub scope: usize,
    pub bound: bool,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The column `institution` of this table, or of the only one.
    Column(Option<String>),
    Value,
}

/// A comparison that holds for every row that comes out of its scope.
pub struct Condition {
    pub scope: usize,
    pub sides: [Side; 2],
    pub join: Join,
}

/// Which rows the condition of a join holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// All of them; a condition that stands elsewhere does as well.
    Inner,
    /// Those of this table; the others come out whatever it says.
    Left(usize),
    /// None that anybody should rely on.
    Other,
}

/// What a text says.
pub struct Query {
    /// Each query or statement with the one that it stands in.
    pub scopes: Vec<Option<usize>>,
    pub tables: Vec<Table>,
    pub conditions: Vec<Condition>,
}

impl Default for Query {
    /// A text that begins in the middle of a statement has a scope as well.
    fn default() -> Self {
        Self {
            scopes: vec![None],
            tables: Vec::new(),
            conditions: Vec::new(),
        }
    }
}

impl Query {
    /// Holds tables to an institution until no condition holds another one.
    pub fn settle(&mut self, tenants: &BTreeSet<String>) {
        loop {
            let held: Vec<usize> = self.conditions.iter().flat_map(|c| self.held_by(c, tenants)).collect();
            if held.is_empty() {
                return;
            }
            for table in held {
                self.tables[table].bound = true;
            }
        }
    }

    /// The tables that a condition holds and that nothing held before.
    fn held_by(&self, Condition { scope, sides, join }: &Condition, tenants: &BTreeSet<String>) -> Vec<usize> {
        let bound = |side: &Side| match side {
            Side::Value => true,
            Side::Column(_) => self
                .meant(side, *scope, tenants)
                .is_some_and(|at| self.tables[at].bound),
        };
        let reached = |table: usize| match join {
            Join::Inner => true,
            Join::Left(joined) => *joined == table,
            Join::Other => false,
        };
        let pairs = [(&sides[0], &sides[1]), (&sides[1], &sides[0])];
        let held = pairs.into_iter().filter_map(|(own, other)| {
            let table = self.meant(own, *scope, tenants)?;
            // A condition within a query says nothing of the rows around it.
            let here = self.tables[table].scope == *scope;
            (here && reached(table) && bound(other) && !self.tables[table].bound).then_some(table)
        });
        held.collect()
    }

    /// The table that a column belongs to: of its own query, else of one around it.
    fn meant(&self, side: &Side, scope: usize, tenants: &BTreeSet<String>) -> Option<usize> {
        let Side::Column(alias) = side else { return None };
        let mut scope = Some(scope);
        while let Some(here) = scope {
            let mut tables = (0..self.tables.len()).filter(|at| self.tables[*at].scope == here);
            let named = |table: &Table, alias: &str| table.alias.as_ref().unwrap_or(&table.name) == alias;
            let mut with_column = tables.clone().filter(|at| tenants.contains(&self.tables[*at].name));
            let found = match alias {
                Some(alias) => tables.find(|at| named(&self.tables[*at], alias)),
                // Without a name it is only clear where one table has such a column.
                None => with_column.next().filter(|_| with_column.next().is_none()),
            };
            if found.is_some() {
                return found;
            }
            scope = self.scopes[here];
        }
        None
    }
}
