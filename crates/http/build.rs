//! Compiles the crate again when the web client that it embeds has changed. A debug build reads the files when it is
//! asked for them; it only has to know, once, that the folder is there.

use std::path::Path;

fn main() {
    let web_client = Path::new("../../web-client/dist");
    println!("cargo:rerun-if-changed=build.rs");
    if embeds() || !web_client.exists() {
        println!("cargo:rerun-if-changed={}", web_client.display());
    }
}

#[expect(clippy::disallowed_methods, reason = "a build script is told by its environment")]
fn embeds() -> bool {
    std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
}
