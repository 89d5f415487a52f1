//! Rules and events that are as bad as can be for an engine that looks things up first.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::json;

use super::{Bench, race};

/// Rules of a case.
const RULES: usize = 200;

/// Events that match every rule.
const EVENTS: usize = 5_000;

/// A case.
struct Case {
    /// For the report.
    name: &'static str,
    /// The list of its rules.
    rules: PathBuf,
    /// Its events, if they are its own.
    events: Option<PathBuf>,
}

/// Measures every case.
pub(super) fn report(bench: &mut Bench<'_>) -> anyhow::Result<String> {
    let rounds = bench.options.rounds.to_string();
    let mut report = String::new();
    for case in cases(&bench.folder)? {
        let events = case.events.as_ref().unwrap_or(&bench.events);
        let race = bench.program.race(&bench.options.lanes, &case.rules, events, &["--rounds", &rounds])?;
        writeln!(report, "{}:\n{}", case.name, race::table(&race))?;
    }
    Ok(report)
}

/// Writes all cases into a folder.
fn cases(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let events: String = (0..EVENTS).map(|n| event(n) + "\n").collect();
    let file = folder.join("worst.ndjson");
    fs::write(&file, events).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(vec![
        Case {
            name: "200 rules `not ...` over all events of Windows",
            rules: write(folder, "negated", "", |n| {
                format!(r"{{a: {{Channel|re: '.'}}, b: {{Channel|endswith: zz{n}}}, condition: not a and not b}}")
            })?,
            events: None,
        },
        Case {
            name: "200 rules of keywords over all events of Windows",
            rules: write(folder, "keywords", "", |n| {
                format!("{{words: [never said {n}, nor-{n}], condition: words}}")
            })?,
            events: None,
        },
        Case {
            name: "200 rules that match each of 5,000 processes",
            rules: write(folder, "all", "category: process_creation, ", |n| {
                format!("{{selection: {{CommandLine|contains: '{}'}}, condition: selection}}", term(n))
            })?,
            events: Some(file),
        },
    ])
}

/// What rule `n` looks for in a command line.
fn term(n: usize) -> String {
    format!("--option-{n:03}")
}

/// A process with every term in its command line.
fn event(n: usize) -> String {
    let mut line = String::from(r#""C:\Program Files\Contoso\agent.exe""#);
    for n in 0..RULES {
        // Writing into a string cannot fail.
        let _ = write!(line, " {}", term(n));
    }
    let event = json!({
        "Channel": "Microsoft-Windows-Sysmon/Operational", "Provider_Name": "Microsoft-Windows-Sysmon", "EventID": 1,
        "EventRecordID": n, "Computer": "host", "Image": r"C:\Program Files\Contoso\agent.exe", "CommandLine": line,
    });
    event.to_string()
}

fn write(folder: &Path, name: &str, logsource: &str, detection: impl Fn(usize) -> String) -> anyhow::Result<PathBuf> {
    let rules = folder.join(name);
    fs::create_dir_all(&rules).with_context(|| format!("cannot create {}", rules.display()))?;
    let mut list = String::new();
    for n in 0..RULES {
        let file = rules.join(format!("{n}.yml"));
        let text = format!(
            "title: {name} {n}\nid: 00000000-0000-4000-8000-{n:012}\nlogsource: {{{logsource}product: windows}}\ndetection: {}\n",
            detection(n)
        );
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        writeln!(list, "{}", file.display())?;
    }
    let path = folder.join(format!("rules-{name}.txt"));
    fs::write(&path, list).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
