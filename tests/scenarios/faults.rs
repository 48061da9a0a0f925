//! Faults of lines, of the process and of its disk: nothing that was said is lost, doubled or reordered, and nobody clicks.

// Its test takes longest: by its name it comes first.
mod as_usual;
mod disk;
mod kills;
mod lines;
mod world;
