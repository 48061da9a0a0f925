//! Every use case on a SQLite file, with a clock that stands and chance that is foretold.

mod booking;
mod clinic;
mod demo;
mod links;
mod rooms;
mod staff;
mod visits;
