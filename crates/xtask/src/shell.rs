//! Other programs: how they are named, shown, run and read.

use std::{
    env,
    ffi::OsStr,
    io::ErrorKind,
    path::Path,
    process::{Command, Stdio},
};

use crate::tree;

/// What a step gives, or one clear sentence with the remedy.
pub type Result<T = ()> = std::result::Result<T, String>;

/// `cargo` of the toolchain that runs us, in the repository's root, with the target folder that tests look into.
pub fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(args)
        .current_dir(tree::root())
        .env("CARGO_TARGET_DIR", tree::root().join("target"));
    // What `cargo run` set for us would look like a changed environment to build scripts, which then run again.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

pub fn npm<I: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new("npm");
    command
        .args(args)
        .current_dir(folder)
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

/// Shows the command, runs it on our own terminal, and fails when it fails.
pub fn run(command: &mut Command) -> Result {
    announce(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|e| cannot_start(command, &e))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` failed ({status}): see its messages above", line(command)))
    }
}

/// What the command prints; its messages go to our terminal.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| cannot_start(command, &e))?;
    if !output.status.success() {
        return Err(format!(
            "`{}` failed ({}): see its messages above",
            line(command),
            output.status
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed something that is not UTF-8", line(command)))
}

/// Shows the command as a person would type it, and where.
pub fn announce(command: &Command) {
    match command.get_current_dir().map(tree::name) {
        Some(folder) if !folder.is_empty() => println!("$ {}   (in {folder})", line(command)),
        Some(_) | None => println!("$ {}", line(command)),
    }
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<_> = std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

pub fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        format!("`{program}` is not there: install it, or put it on the PATH")
    } else {
        format!("`{program}` can't be started: {error}")
    }
}
