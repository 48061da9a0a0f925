//! A PostgreSQL server of one's own, in a temporary folder.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{Port, Process, Signal};

const DATABASE: &str = "heliograph";
const SUPERUSER: &str = "postgres";
const OWNER: &str = "heliograph_owner";
const ROLE: &str = "heliograph";
const START: Duration = Duration::from_mins(1);

/// A running server with an empty database. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    port: Port,
    server: Process,
    _folder: TempDir,
}

impl Postgres {
    /// Starts the newest PostgreSQL that Debian's packages have put on this machine.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn start() -> Result<Self> {
        let programs = programs()?;
        let account = Account::to_run_as()?;
        let folder = tempfile::Builder::new().prefix("heliograph-postgres-").tempdir()?;
        account.own(folder.path())?;
        let data = folder.path().join("data");

        let mut init = account.command(&programs.join("initdb"), folder.path());
        init.arg("--pgdata")
            .arg(&data)
            .args(["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]);
        init.args(["--no-locale", "--no-sync"]);
        run(init).await?;

        let port = Port::free()?;
        let mut serve = account.command(&programs.join("postgres"), folder.path());
        serve.arg("-D").arg(&data).args(["-p", &port.number().to_string()]);
        // Its files live as long as a test: nothing need survive a crash of the machine.
        for setting in [
            "fsync=off",
            "full_page_writes=off",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
        ] {
            serve.args(["-c", setting]);
        }
        let server = Process::start(serve)?;
        server.line("ready to accept connections", START).await?;

        let postgres = Self {
            programs,
            port,
            server,
            _folder: folder,
        };
        postgres.set_up().await?;
        Ok(postgres)
    }

    /// For the service: a role that reads and writes the owner's tables, and is neither owner nor superuser.
    pub fn url(&self) -> String {
        self.url_of(ROLE, DATABASE)
    }

    /// For migrations: the role that owns the database, no superuser.
    pub fn owner_url(&self) -> String {
        self.url_of(OWNER, DATABASE)
    }

    /// Its port on 127.0.0.1, to stand a proxy before it.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Its process, to freeze or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.server
    }

    /// What `psql` prints for a statement, columns separated by `|`.
    ///
    /// # Errors
    /// When the statement fails, with the server's message.
    pub async fn query(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
        ]);
        psql.args(["--dbname", url, "--command", sql]);
        run(psql).await
    }

    async fn set_up(&self) -> Result<()> {
        let system = self.url_of(SUPERUSER, "postgres");
        for sql in [
            format!("CREATE ROLE {OWNER} LOGIN"),
            format!("CREATE ROLE {ROLE} LOGIN"),
            format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"),
        ] {
            self.query(&system, &sql).await?;
        }
        let grant = format!("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE}");
        self.query(&self.owner_url(), &grant).await.map(drop)
    }

    fn url_of(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@{}/{database}", self.port.address())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // "Immediate shutdown": it ends its children and frees its shared memory, which a kill would leave behind.
        // A frozen one is woken, or it would never see the signal.
        if self
            .server
            .signal(Signal::QUIT)
            .and_then(|()| self.server.signal(Signal::CONT))
            .is_ok()
        {
            self.server.wait();
        }
    }
}

/// The folder with `initdb`, `postgres` and `psql`.
fn programs() -> Result<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let newest = versions
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| version(path));
    newest.map(|path| path.join("bin")).context(
        "PostgreSQL is missing: no /usr/lib/postgresql/*/bin/initdb; `apt-get install postgresql`, or `cargo xtask test`, which does",
    )
}

/// Who runs the server. It refuses to run as root, so root runs it as the user that its package has made.
struct Account {
    /// User and group; `None` for ourselves.
    ids: Option<(u32, u32)>,
}

impl Account {
    fn to_run_as() -> Result<Self> {
        if !rustix::process::getuid().is_root() {
            return Ok(Self { ids: None });
        }
        // postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
        let users = fs::read_to_string("/etc/passwd")?;
        let fields = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields[0] == SUPERUSER);
        match fields.as_deref() {
            Some([_, _, user, group, ..]) => Ok(Self {
                ids: Some((user.parse()?, group.parse()?)),
            }),
            Some(_) | None => bail!(
                "there is no user `{SUPERUSER}`, which `apt-get install postgresql` makes, and root may not run it"
            ),
        }
    }

    fn own(&self, folder: &Path) -> Result<()> {
        let Some((user, group)) = self.ids else { return Ok(()) };
        chown(folder, Some(user), Some(group))
            .with_context(|| format!("{} can't be given to {SUPERUSER}", folder.display()))
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Runs to its end and gives what it printed.
async fn run(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("{name} can't be started"))?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_services_role_reads_and_writes_and_is_neither_owner_nor_superuser() {
        let postgres = Postgres::start().await.unwrap();
        let (role, owner) = (postgres.url(), postgres.owner_url());
        postgres
            .query(&owner, "CREATE TABLE visit (id TEXT PRIMARY KEY)")
            .await
            .unwrap();
        postgres
            .query(&role, "INSERT INTO visit VALUES ('a'), ('b')")
            .await
            .unwrap();
        assert_eq!(
            postgres
                .query(&role, "SELECT id, 1 FROM visit ORDER BY id")
                .await
                .unwrap(),
            "a|1\nb|1"
        );
        let refused = postgres.query(&role, "DROP TABLE visit").await.unwrap_err().to_string();
        assert!(refused.contains("must be owner of table visit"), "{refused}");
        assert!(postgres.query(&role, "CREATE TABLE another (id TEXT)").await.is_err());
        for url in [role, owner] {
            let superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
            assert_eq!(postgres.query(&url, superuser).await.unwrap(), "f");
        }
    }

    #[tokio::test]
    async fn dropping_it_stops_the_server_and_removes_its_files() {
        let postgres = Postgres::start().await.unwrap();
        let address = postgres.port().address();
        let data = postgres
            .query(&postgres.url_of(SUPERUSER, DATABASE), "SHOW data_directory")
            .await
            .unwrap();
        assert!(Path::new(&data).exists());
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop(postgres);
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(!Path::new(&data).exists(), "{data} is left");
    }
}
