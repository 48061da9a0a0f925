//! Builds the web client and the server.

use std::path::PathBuf;

use crate::{
    install,
    shell::{self, Result},
    tree,
};

/// Which Cargo command makes the binary. Both give the same program; they differ in the features of shared dependencies.
#[derive(Clone, Copy)]
pub enum Scope {
    /// Only what the service needs: the quickest from cold.
    Server { release: bool },
    /// Everything that the tests need as well, so that no dependency is compiled once more for them.
    Workspace,
}

pub fn web_folder() -> PathBuf {
    tree::root().join("web-client")
}

/// Builds `web-client/dist` unless it is newer than all of its sources.
pub fn web_client() -> Result {
    install::npm_packages(&web_folder())?;
    let sources = tree::newest(&web_folder(), &["dist", "node_modules"]);
    let built = tree::newest(&web_folder().join("dist"), &[]);
    if built > sources {
        println!("web-client/dist is up to date");
        return Ok(());
    }
    web_client_anew()
}

pub fn web_client_anew() -> Result {
    install::npm_packages(&web_folder())?;
    shell::run(&mut shell::npm(&web_folder(), ["run", "build"]))
}

/// Builds the binary `heliograph` (with the web client that it embeds) and says where it lies.
pub fn server(scope: Scope) -> Result<PathBuf> {
    web_client()?;
    let (args, profile): (&[&str], _) = match scope {
        Scope::Server { release: false } => (&["build", "--package", "heliograph-server"], "debug"),
        Scope::Server { release: true } => (&["build", "--package", "heliograph-server", "--release"], "release"),
        Scope::Workspace => (&["build", "--workspace", "--all-targets"], "debug"),
    };
    shell::run(&mut shell::cargo(args))?;
    Ok(tree::root().join("target").join(profile).join("heliograph"))
}
