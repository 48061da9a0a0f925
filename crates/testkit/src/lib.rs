//! Development only: real servers and processes on free ports, and a proxy that cuts and swallows.
//!
//! It uses none of our crates, so that each of them may use it in its tests. Whatever it starts ends with the value that
//! stands for it; whatever it waits for has a deadline, and the error tells what the process printed until then.

pub mod disk;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod proxy;

pub use disk::SmallDisk;
pub use ports::Port;
pub use postgres::Postgres;
pub use process::{Process, Signal};
pub use proxy::{Line, Proxy, Way};
