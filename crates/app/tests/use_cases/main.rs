//! Every use case on a SQLite file, with a clock that stands and chance that is foretold.

mod booking;
mod cancel;
mod clinic;
mod demo;
mod desk;
mod links;
mod revoke;
mod rooms;
mod staff;
mod visits;
