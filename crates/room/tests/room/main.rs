//! The room's rules, one by one and in every order.

mod formats;
mod guests;
mod lost_log;
mod properties;
mod rules;
mod support;
