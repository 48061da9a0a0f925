//! Installs what is missing by the ordinary package managers, and says so.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    shell::{self, Result},
    tree,
};

/// What the tools of the web client ask for.
const NODE: &str = "20.19";

/// A program of Debian's that tests need.
pub struct Debian {
    package: &'static str,
    what_for: &'static str,
    present: fn() -> bool,
}

pub const CHROMIUM: Debian = Debian {
    package: "chromium",
    what_for: "the browser tests",
    present: || Path::new("/usr/bin/chromium").exists(),
};

pub const POSTGRESQL: Debian = Debian {
    package: "postgresql",
    what_for: "the database tests",
    present: || {
        fs::read_dir("/usr/lib/postgresql")
            .is_ok_and(|versions| versions.flatten().any(|v| v.path().join("bin/postgres").exists()))
    },
};

/// Fails unless Node and npm are there, and new enough.
pub fn node() -> Result {
    node_on(None)
}

/// Looks on another PATH than that of the process, if one is named.
fn node_on(path: Option<&Path>) -> Result {
    let found = version_of("node", path).ok_or_else(|| {
        format!("Node is missing: install Node {NODE} or newer with npm (Debian 12's own is older: take it from nodejs.org), then try again")
    })?;
    if version(&found) < version(NODE) {
        return Err(format!(
            "Node {found} is too old: install Node {NODE} or newer, then try again"
        ));
    }
    if version_of("npm", path).is_none() {
        return Err(
            "npm is missing: install it beside Node (on Debian: `apt-get install npm`), then try again".to_owned(),
        );
    }
    Ok(())
}

fn version_of(program: &str, path: Option<&Path>) -> Option<String> {
    let mut command = Command::new(program);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let output = command.arg("--version").stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .trim_start_matches('v')
            .to_owned()
    })
}

/// Major and minor; `None`, which is less than any, when there are none.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `npm ci` in `folder`, unless the packages that its lock file names were installed after it was last changed.
pub fn npm_packages(folder: &Path) -> Result {
    let name = tree::name(folder);
    let lock = folder.join("package-lock.json");
    let Some(locked) = tree::changed(&lock) else {
        return Err(format!(
            "{name}/package-lock.json is missing: restore it with git, or make it with `npm install` there and commit it"
        ));
    };
    // npm writes this file last, so an installation that was broken off counts as none.
    let installed = tree::changed(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some_and(|installed| installed >= locked) {
        return Ok(());
    }
    node()?;
    println!("{name}: installing npm packages");
    shell::run(&mut shell::npm(folder, ["ci", "--no-audit", "--no-fund"]))
}

/// Installs those of `wanted` that are missing, by apt-get.
pub fn debian(wanted: &[&Debian]) -> Result {
    let missing: Vec<&&Debian> = wanted.iter().filter(|d| !(d.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|d| d.package).collect();
    let by_hand = format!(
        "install by hand what this machine calls {}, then try again",
        packages.join(" and ")
    );
    for Debian { package, what_for, .. } in &missing {
        println!("{package} is missing ({what_for} need it): installing Debian's package");
    }
    if version_of("apt-get", None).is_none() {
        return Err(format!(
            "{} can't be installed, since this machine has no apt-get: {by_hand}",
            packages.join(" and ")
        ));
    }
    let mut install = as_root().ok_or_else(|| {
        format!(
            "{} can't be installed without root, and `sudo -n` is refused: {by_hand}",
            packages.join(" and ")
        )
    })?;
    install
        .args(["sh", "-c", APT, "sh"])
        .args(&packages)
        .stdin(Stdio::null());
    println!(
        "$ apt-get update && apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    let status = install.status().map_err(|e| shell::cannot_start(&install, &e))?;
    if !status.success() {
        return Err(format!(
            "apt-get could not install {} ({status}): see its messages above, or {by_hand}",
            packages.join(" and ")
        ));
    }
    match missing.iter().find(|d| !(d.present)()) {
        Some(d) => Err(format!(
            "{} was installed, but {} still can't find it: {by_hand}",
            d.package, d.what_for
        )),
        None => Ok(()),
    }
}

/// The policy keeps the packages from starting system services: tests start copies of their own.
const APT: &str = r#"
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod 755 $policy
fi
apt-get update --quiet --quiet
apt-get install --yes --quiet --quiet -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
"#;

/// A command that runs its arguments as root: `env` for root itself, `sudo -n` where that needs no password.
fn as_root() -> Option<Command> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(Command::new("env"));
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("-n");
    let allowed = Command::new("sudo")
        .args(["-n", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    allowed.then_some(sudo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs::Permissions, os::unix::fs::PermissionsExt, path::PathBuf, process};

    /// A folder whose programs print these versions.
    fn programs(name: &str, versions: &[(&str, &str)]) -> PathBuf {
        let folder = env::temp_dir().join(format!("xtask-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (program, version) in versions {
            let path = folder.join(program);
            fs::write(&path, format!("#!/bin/sh\necho {version}\n")).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_missing_or_too_old_is_told_with_the_remedy() {
        for (name, there, told) in [
            ("nothing", &[][..], "Node is missing: install Node 20.19 or newer"),
            (
                "old",
                &[("node", "v18.19.0"), ("npm", "9.2.0")],
                "Node 18.19.0 is too old: install Node 20.19",
            ),
            (
                "no-npm",
                &[("node", "v22.3.0")],
                "npm is missing: install it beside Node",
            ),
            ("all", &[("node", "v22.3.0"), ("npm", "10.8.1")], ""),
        ] {
            let folder = programs(name, there);
            let answer = node_on(Some(&folder)).err().unwrap_or_default();
            fs::remove_dir_all(&folder).unwrap();
            assert!(
                answer.starts_with(told) && answer.is_empty() == told.is_empty(),
                "{name}: {answer}"
            );
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("20.19.0") >= version(NODE) && version("22.3.0") > version(NODE));
        assert!(
            version("20.9.0") < version(NODE)
                && version("8.17.0") < version(NODE)
                && version("nightly") < version(NODE)
        );
    }
}
