//! The whole service from outside: its HTTP API, its WebSocket, its process.

mod bad_frames;
mod booking;
mod call;
mod dates;
mod desk;
mod doors;
mod faults;
mod process;
mod resume;
mod service;
mod sides;
mod simulate;
