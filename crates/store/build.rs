//! `sqlx::migrate!` reads folders that Cargo does not watch by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
