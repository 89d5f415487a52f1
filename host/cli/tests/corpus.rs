//! All of `SigmaHQ`'s rules over real Windows events: with the index and without it, with one worker and with two, the
//! verdicts are the same to the byte (invariant 2). Runs where `SANDTRAP_SHARED` says where the corpus is.

use std::{env, fs, path::PathBuf, process::Command};

/// The folders of rules.
const FOLDERS: [&str; 5] =
    ["rules", "rules-compliance", "rules-dfir", "rules-emerging-threats", "rules-threat-hunting"];

#[test]
fn verdicts_do_not_depend_on_index_or_workers() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED").map(PathBuf::from) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let placeholders = folder.path().join("placeholders.yaml");
    fs::write(&placeholders, "known_cdcs: [dc1]\n").expect("a file");
    let run = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandtrap"));
        command.env("SANDTRAP_CACHE", folder.path().join("cache"));
        command.arg("run").args(FOLDERS.map(|name| shared.join("corpus/sigma").join(name)));
        command
            .arg("--events")
            .arg(shared.join("events/windows-10k.ndjson.zst"))
            .arg("--placeholders")
            .arg(&placeholders);
        let ended = command.args(options).output().expect("it can be started");
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).expect("JSON is UTF-8")
    };
    let found = run(&[]);
    assert!(found.lines().count() > 100, "{} verdicts", found.lines().count());
    for options in [&["--index", "off"][..], &["--workers", "2"]] {
        assert!(run(options) == found, "other verdicts with {options:?}");
    }
}
