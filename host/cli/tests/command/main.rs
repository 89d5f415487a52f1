//! The built command, as a person or a script calls it: what it prints where, and how it exits.
//!
//! Rules are written in KQL or Sigma here, but for the hand-written component that ships in rules/.

mod broken;
mod compile;
mod inspect;
mod lint;
mod run;
mod sigma;
mod site;
mod test;
mod watch;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A folder with files, and the command in it.
struct Scene {
    folder: tempfile::TempDir,
}

/// What a call of the command gave.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a folder") };
        for (name, text) in files {
            scene.write(name, text.as_bytes());
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandtrap"));
        // The cache of whoever runs the tests is none of theirs.
        let cache = self.folder.path().join(".cache");
        command.args(args).current_dir(self.folder.path()).env("SANDTRAP_CACHE", cache).stdin(Stdio::null());
        command
    }

    fn call(&self, args: &[&str]) -> Ended {
        ended(self.command(args).output().expect("it can be started"))
    }

    fn call_with_input(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be started");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        ended(child.wait_with_output().expect("it ends"))
    }
}

fn ended(output: std::process::Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// The verdicts on standard output: detection, and columns.
    fn verdicts(&self) -> Vec<(String, serde_json::Value)> {
        let verdict = |line: &str| {
            let mut verdict: serde_json::Value = serde_json::from_str(line).expect("one JSON object per line");
            (verdict["detection"].as_str().expect("an id").to_owned(), verdict["columns"].take())
        };
        self.stdout.lines().map(verdict).collect()
    }

    fn assert_stderr(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} should be in\n{}", self.stderr);
        }
    }
}

/// The component that ships in rules/.
fn shipped_component() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/remote-access/dga_entropy.wasm")
}

const PIKVM: &str = "DeviceNetworkEvents\n| where RemoteUrl has 'pikvm'\n| project Timestamp, DeviceName\n";
const BY_DEVICE: &str = "DeviceNetworkEvents\n| where Timestamp > ago(1d)\n| summarize Count = count() by DeviceName\n";

/// Events of which two match [`PIKVM`].
const EVENTS: &str = r#"{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-01T08:00:00Z","DeviceName":"b","RemoteUrl":"pikvm.local"}
{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-01T09:00:00Z","DeviceName":"a","RemoteUrl":"example.org"}
{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-02T09:00:00Z","DeviceName":"b","RemoteUrl":"https://PiKVM/login"}
{"Channel":"Security","EventID":4624,"Computer":"x"}
"#;

/// A Sigma rule about processes on Windows, with what `detection` holds under `selection`.
fn process_rule(id: &str, selection: &str) -> String {
    format!(
        "title: About {id}\nid: {id}\nstatus: test\ntags: [attack.t1059.001]\nlogsource: {{category: process_creation, \
         product: windows}}\ndetection:\n  selection:\n    {selection}\n  condition: selection\nlevel: high\n"
    )
}

/// Processes as Sysmon logs them: whoami of alice, whoami of bob, cmd of bob.
const PROCESSES: &str = r#"{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"UtcTime":"2024-05-01 08:00:00","Image":"C:\\Windows\\whoami.exe","User":"alice"}
{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"UtcTime":"2024-05-01 08:00:01","Image":"C:\\Windows\\whoami.exe","User":"bob"}
{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"UtcTime":"2024-05-01 08:00:02","Image":"C:\\Windows\\cmd.exe","User":"bob"}
"#;
