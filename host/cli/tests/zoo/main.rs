//! The zoo (invariant 5): components that are as bad as we could make them, each in a folder of rules beside an honest
//! one. Whatever they do, the command says what it is, the honest detection gives the same verdicts byte for byte, and
//! the process needs little more memory than without them. docs/security.md says which state each ends in.

#[path = "../../../engine/tests/common/mod.rs"]
mod guests;

mod animals;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use animals::{Animal, Ends};
use guests::Guest;

/// How much more memory than the honest run a run may have, in KiB.
const MORE_KIB_MAX: u64 = 64 << 10;

/// How many events there are.
const EVENTS: i64 = 3000;

/// Animals that are looked at beside each other.
const KEEPERS: usize = 2;

/// What a run gave.
struct Ran {
    code: Option<i32>,
    /// The lines of the events that the animal reported.
    animal: Vec<u64>,
    /// The verdicts of the honest detection.
    honest: String,
    stderr: String,
    /// The most memory that it had, in KiB.
    most_kib: u64,
}

/// Most ports are 0, which the honest detection does not pick.
fn events() -> String {
    let port = |event| if event % 7 == 0 { event } else { 0 };
    (1..=EVENTS).fold(String::new(), |mut text, event| {
        let port = port(event) + if event == EVENTS { EVENTS } else { 0 };
        let _ = writeln!(text, r#"{{"Type":"DeviceNetworkEvents","RemotePort":{port},"DeviceName":"host {event}"}}"#);
        text
    })
}

/// Runs the rules of a folder over events from a pipe, and looks how much memory was needed before the pipe is closed.
fn run(rules: &Path, cache: &Path, workers: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandtrap"))
        .args(["run", "--workers", workers, "--events", "-"])
        .arg(rules)
        .env("SANDTRAP_CACHE", cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stderr = child.stderr.take().expect("a pipe");
    let complaints = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let writer = thread::spawn(move || stdin.write_all(events().as_bytes()).map(|()| stdin));
    let last = format!(r#""line":{EVENTS},"#);
    let (mut honest, mut animal) = (String::new(), Vec::new());
    for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
        let line = line.expect("it prints UTF-8");
        if line.contains(r#""detection":"test/honest""#) {
            let _ = writeln!(honest, "{line}");
            if line.contains(&last) {
                break;
            }
        } else {
            animal.push(line_of(&line));
        }
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is still there");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
    let most_kib = most.trim().trim_end_matches(" kB").parse().expect("a number");
    drop(writer.join().expect("no panic"));
    let code = child.wait().expect("it ends").code();
    Ran { code, animal, honest, stderr: complaints.join().expect("no panic").expect("UTF-8"), most_kib }
}

/// The line of the event that a verdict is about.
fn line_of(verdict: &str) -> u64 {
    let verdict: serde_json::Value = serde_json::from_str(verdict).expect("a verdict");
    verdict["event"]["line"].as_u64().expect("about an event")
}

/// Runs an animal beside the honest detection. What is wrong, and how much memory there was.
fn look_at(animal: &Animal, expected: &str) -> (Vec<String>, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).expect("a folder");
    fs::write(rules.join("honest.wasm"), honest()).expect("a file");
    for (number, component) in animal.components.iter().enumerate() {
        fs::write(rules.join(format!("animal-{number}.wasm")), component).expect("a file");
    }
    let workers = if let Ends::MissesTheLast(_) = animal.ends { "2" } else { "1" };
    let ran = run(&rules, &folder.path().join("cache"), workers);
    let mut wrong = Vec::new();
    if ran.honest != expected {
        wrong.push(format!("the honest detection gave {} verdicts", ran.honest.lines().count()));
    }
    let (code, words): (_, &[&str]) = match &animal.ends {
        Ends::Refused(words) | Ends::Fails(words) | Ends::MissesTheLast(words) => (1, words),
        Ends::Well => (0, &[]),
    };
    if ran.code != Some(code) {
        wrong.push(format!("the exit code is {:?}", ran.code));
    }
    // Of each component it must be said.
    let times = |word: &str| ran.stderr.matches(word).count();
    let unsaid = words.iter().filter(|word| times(word) < animal.components.len());
    wrong.extend(unsaid.map(|word| format!("{} times {word:?} for {}", times(word), animal.components.len())));
    if let Ends::MissesTheLast(_) = animal.ends {
        let others = expected.lines().map(line_of).filter(|line| i64::try_from(*line) != Ok(EVENTS));
        if ran.animal != others.collect::<Vec<_>>() {
            wrong.push(format!("it gave {} verdicts", ran.animal.len()));
        }
    }
    if let Ends::Refused(_) = animal.ends {
        let refused = ran.stderr.matches("animal-").count();
        if refused < animal.components.len() {
            wrong.push(format!("{refused} of {} are refused", animal.components.len()));
        }
    }
    if !wrong.is_empty() {
        wrong.push(ran.stderr);
    }
    (wrong, ran.most_kib)
}

fn honest() -> Vec<u8> {
    Guest { manifest: animals::manifest("honest", "long", "").into_bytes(), ..Guest::honest("honest") }.component()
}

#[test]
fn zoo() {
    let animals = animals::all();
    assert!(animals.len() >= 40, "{} animals", animals.len());
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).expect("a folder");
    fs::write(rules.join("honest.wasm"), honest()).expect("a file");
    let alone = run(&rules, &folder.path().join("cache"), "1");
    assert_eq!(alone.code, Some(0), "{}", alone.stderr);
    assert_eq!(alone.honest.lines().count(), usize::try_from(EVENTS / 7 + 1).expect("few"));

    let (next, seen) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..KEEPERS {
            scope.spawn(|| {
                while let Some(animal) = animals.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = std::time::Instant::now();
                    let (mut wrong, most_kib) = look_at(animal, &alone.honest);
                    let more_kib = most_kib.saturating_sub(alone.most_kib);
                    println!("{:40} {more_kib:8} KiB more, {:6} ms", animal.name, started.elapsed().as_millis());
                    if more_kib > MORE_KIB_MAX {
                        wrong.push(format!("{more_kib} KiB more than without it"));
                    }
                    seen.lock().expect("no panic").insert(animal.name, wrong);
                }
            });
        }
    });
    let seen = seen.into_inner().expect("no panic");
    assert_eq!(seen.len(), animals.len(), "each has a name of its own");
    let wrong: Vec<String> = seen
        .iter()
        .filter(|(_, wrong)| !wrong.is_empty())
        .map(|(name, wrong)| format!("{name}: {}", wrong.join("; ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
