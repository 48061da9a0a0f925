//! Bad input: a typed error or a close for who sends it, and nothing at all for the others.

mod bend;
mod clinic;
mod numbers;
mod shapes;
mod states;
