//! The API over a real database, as a caller sees it: every route, every problem, and what no answer may do.

mod booking;
mod changes;
mod desk;
mod doors;
mod edges;
mod isolation;
mod links;
mod seat;
mod session;
mod socket;
mod visits;
