//! Faults of lines, of the process and of its disk: nothing that was said is lost, doubled or reordered, and nobody clicks.

mod disk;
mod kills;
mod lines;
mod usual;
mod world;
