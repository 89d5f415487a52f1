//! The tools of the oracle: which versions, where they live, and how they are called.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::root;

/// npm: Microsoft's parser.
pub(super) const LANGUAGE_SERVICE: &str = "@kusto/language-service-next@12.4.1";
/// `PyPI`: KQL on `DuckDB`.
pub(super) const DUCKDB_KQL: &str = "duckdb-kql==1.1.2";
/// `PyPI`: the database under it, and what it needs for time zones.
const DUCKDB: [&str; 2] = ["duckdb==2.0.0", "pytz==2026.6"];

/// The installed tools.
pub(super) struct Tools {
    /// Where they are, and where the checks put their files.
    pub(super) folder: PathBuf,
}

/// Installs the tools, unless the same versions already are.
pub(super) fn install() -> anyhow::Result<Tools> {
    let folder = root().join("target/kql-oracle");
    let tools = Tools { folder };
    fs::create_dir_all(&tools.folder).with_context(|| format!("cannot create {}", tools.folder.display()))?;
    let wanted = format!("{LANGUAGE_SERVICE}\n{DUCKDB_KQL}\n{}\n", DUCKDB.join("\n"));
    let installed = tools.folder.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|versions| versions == wanted) {
        return Ok(tools);
    }
    eprintln!("installing {LANGUAGE_SERVICE}, {DUCKDB_KQL} and {} in {}", DUCKDB[0], tools.folder.display());
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(&tools.folder)
        .arg(LANGUAGE_SERVICE))?;
    run(Command::new("python3").args(["-m", "venv"]).arg(tools.folder.join("venv")))?;
    run(Command::new(tools.python()).args(["-m", "pip", "install", "--quiet", DUCKDB_KQL]).args(DUCKDB))?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(tools)
}

impl Tools {
    /// The Python that has duckdb-kql.
    pub(super) fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    /// A helper script beside this command, run by `program`.
    pub(super) fn script(program: impl AsRef<std::ffi::OsStr>, name: &str) -> Command {
        let mut command = Command::new(program);
        command.arg(root().join("xtask/kql_oracle").join(name));
        command
    }

    /// Where npm put its packages.
    pub(super) fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }
}

/// Runs a command that has to succeed.
pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    read(command).map(drop)
}

/// Runs a command that has to succeed and returns its standard output. What else it says is shown only when it fails.
pub(super) fn read(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        std::io::stderr().write_all(&output.stderr)?;
    }
    ensure!(output.status.success(), "{command:?} failed with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something other than UTF-8"))
}

/// Writes one JSON object per line.
pub(super) fn write_lines(path: &Path, lines: impl Iterator<Item = serde_json::Value>) -> anyhow::Result<()> {
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    fs::write(path, lines.join("\n")).with_context(|| format!("cannot write {}", path.display()))
}

/// Parses one JSON object per line.
pub(super) fn parse_lines(text: &str) -> anyhow::Result<Vec<serde_json::Value>> {
    let lines = text.lines().enumerate();
    lines.map(|(at, line)| serde_json::from_str(line).with_context(|| format!("line {} is not JSON", at + 1))).collect()
}
