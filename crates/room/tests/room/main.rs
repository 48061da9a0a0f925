//! The room's rules, one by one and in every order.

mod formats;
mod guests;
mod properties;
mod rules;
mod support;
