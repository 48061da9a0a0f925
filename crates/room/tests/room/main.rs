//! The room's rules, one by one and in every order.

mod formats;
mod properties;
mod rules;
mod support;
