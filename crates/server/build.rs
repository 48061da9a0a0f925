//! Tells the program when it was built: no sane clock is earlier.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo:rustc-env=HELIOGRAPH_BUILT_S={}", built_s());
}

/// Builds that must be repeatable say their time (reproducible-builds.org).
#[expect(
    clippy::disallowed_methods,
    reason = "a build has a clock and an environment of its own"
)]
fn built_s() -> u64 {
    let said = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok());
    said.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}
