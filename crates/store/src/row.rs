//! Reading rows: every value is checked, and a broken one is named by table, column and key.

use crate::StoreError;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row, Type};
use std::fmt::Display;
use std::str::FromStr;

/// The columns of one row.
pub(crate) struct Fields<'r> {
    row: &'r AnyRow,
    table: &'static str,
    key: &'static str,
}

impl<'r> Fields<'r> {
    /// `key` is the text column that names the row in messages.
    pub(crate) fn of(row: &'r AnyRow, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn maybe_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(crate) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    /// An integer of a narrower type.
    pub(crate) fn number<T: TryFrom<i64, Error: Display>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.int(column)?).map_err(|why| self.broken(column, &why))
    }

    /// A text that spells a value.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|why| self.broken(column, &why))
    }

    pub(crate) fn maybe_parse<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text(column)?;
        text.map(|text| text.parse().map_err(|why| self.broken(column, &why)))
            .transpose()
    }

    pub(crate) fn broken(&self, column: &'static str, why: &dyn Display) -> StoreError {
        let row = match self.row.try_get::<String, _>(self.key) {
            Ok(text) => text,
            Err(_) => self
                .row
                .try_get::<i64, _>(self.key)
                .map_or_else(|_| "?".to_owned(), |number| number.to_string()),
        };
        StoreError::Broken {
            table: self.table,
            column,
            row,
            why: why.to_string(),
        }
    }

    fn get<T: Decode<'r, Any> + Type<Any>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|why| self.broken(column, &why))
    }
}
