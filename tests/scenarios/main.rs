//! The whole service from outside: its HTTP API, its WebSocket, its process.

mod booking;
mod call;
mod doors;
mod process;
mod resume;
mod service;
