//! The regression cases of `SigmaHQ`, as a person would run them: rules from the repository, logs as Windows writes them. Runs
//! where `SANDTRAP_SHARED` says where the corpus is.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Cases whose stated count is wrong, and how many events their rule matches.
///
/// The first three: `SigmaHQ` corrected the counts after the snapshot (<https://github.com/SigmaHQ/sigma/pull/6211>). The last
/// states none; two of its log's events start the runner. The engine rsigma-eval 0.23 gives the same four counts
/// (`cargo xtask sigma-oracle --regression`).
const CORRECTED: [(&str, u64); 4] = [
    ("0b9ad457-2554-44c1-82c2-d56a99c42377", 3),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 3),
    ("c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e", 2),
    ("5bac7a56-da88-4c27-922e-c81e113b20cb", 2),
];

/// How many cases there are.
const CASES: usize = 98;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            found.push(path);
        }
    }
}

/// The rules with these ids.
fn rules(corpus: &Path, ids: &BTreeSet<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["rules", "rules-compliance", "rules-dfir", "rules-emerging-threats", "rules-threat-hunting"] {
        files(&corpus.join(folder), &mut found);
    }
    found.retain(|path| {
        let text = fs::read_to_string(path).expect("a rule");
        text.lines().filter_map(|line| line.strip_prefix("id: ")).any(|id| ids.contains(id.trim()))
    });
    found
}

/// What the rules find in the events at a path.
fn verdicts(rules: &[PathBuf], events: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandtrap"));
    command.env("SANDTRAP_CACHE", "off");
    let ended = command.arg("run").args(rules).arg("--events").arg(events).output().expect("it can be started");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let lines = String::from_utf8(ended.stdout).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect()
}

fn rule_of(verdict: &Value) -> &str {
    verdict["detection"].as_str().and_then(|id| id.rsplit('/').next()).expect("namespace and id")
}

#[test]
fn every_regression_case_is_found_in_its_log_and_in_its_events() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else { return };
    let corpus = Path::new(&shared).join("corpus/sigma");
    let text = fs::read_to_string(corpus.join("regression_manifest.json")).expect("the manifest");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of cases");
    let ids: BTreeSet<&str> = cases.iter().filter_map(|case| case["rule_id"].as_str()).collect();
    assert_eq!(ids.len(), CASES);
    let rules = rules(&corpus, &ids);
    assert_eq!(rules.len(), CASES);

    let mut in_logs: BTreeMap<String, u64> = BTreeMap::new();
    for verdict in verdicts(&rules, &corpus.join("regression_evtx")) {
        let log = verdict["event"]["source"].as_str().expect("the log of the event");
        if Path::new(log).file_stem().is_some_and(|stem| stem == rule_of(&verdict)) {
            *in_logs.entry(rule_of(&verdict).to_owned()).or_default() += 1;
        }
    }
    for case in &cases {
        let id = case["rule_id"].as_str().expect("an id");
        let corrected = CORRECTED.iter().find(|(corrected, _)| *corrected == id).map(|(_, count)| *count);
        let expected = corrected.unwrap_or_else(|| case["match_count"].as_u64().unwrap_or(1));
        assert_eq!(in_logs.get(id).copied().unwrap_or(0), expected, "{id}: {}", case["title"]);
    }

    let text = fs::read_to_string(corpus.join("regression_events.ndjson")).expect("the events");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let events: Vec<String> = lines.iter().map(|line| line["event"].to_string()).collect();
    let file = folder.path().join("events.ndjson");
    fs::write(&file, events.join("\n")).expect("a file");
    let mut in_events: BTreeSet<String> = BTreeSet::new();
    for verdict in verdicts(&rules, &file) {
        let line = verdict["event"]["line"].as_u64().and_then(|line| usize::try_from(line).ok()).expect("a line");
        if lines.get(line - 1).is_some_and(|case| case["rule_id"] == rule_of(&verdict)) {
            in_events.insert(rule_of(&verdict).to_owned());
        }
    }
    let missing: Vec<&&str> = ids.iter().filter(|id| !in_events.contains(**id)).collect();
    assert!(missing.is_empty(), "{missing:?} find nothing in their events");
}
