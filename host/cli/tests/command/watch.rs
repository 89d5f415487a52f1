//! `sandtrap run --watch`.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::Child,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use super::*;

/// How long a line may take before a test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// The lines of a stream, as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Everything up to the line that has this text.
fn wait_for(lines: &Receiver<String>, text: &str) -> String {
    let mut said = String::new();
    while !said.contains(text) {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no `{text}` in:\n{said}"));
        said.push_str(&line);
        said.push('\n');
    }
    said
}

fn feed(child: &mut Child, device: &str) {
    let event = format!(r#"{{"Type":"DeviceNetworkEvents","DeviceName":"{device}"}}"#);
    let input = child.stdin.as_mut().expect("a pipe");
    writeln!(input, "{event}").expect("it is read");
}

#[test]
fn rules_that_change_are_in_force_and_those_that_do_not_load_are_not() {
    let rule =
        |name: &str| format!("DeviceNetworkEvents | where DeviceName == 'a' | extend now = '{name}' | project now\n");
    let scene = Scene::new(&[("rules/x.kql", &rule("first"))]);
    let mut command = scene.command(&["run", "rules", "--events", "-", "--watch"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it can be started");
    let verdicts = lines(child.stdout.take().expect("a pipe"));
    let said = lines(child.stderr.take().expect("a pipe"));

    feed(&mut child, "a");
    wait_for(&verdicts, "first");
    scene.write("rules/x.kql", rule("second").as_bytes());
    wait_for(&said, "1 detection is in force: 0 came, 0 went, 1 changed");
    feed(&mut child, "a");
    wait_for(&verdicts, "second");

    scene.write("rules/y.kql", b"DeviceNetworkEvents | where");
    let complaint = wait_for(&said, "stay");
    assert!(complaint.contains("rules/y.kql"), "{complaint}");
    feed(&mut child, "a");
    wait_for(&verdicts, "second");
    scene.write("rules/y.kql", rule("third").as_bytes());
    wait_for(&said, "2 detections are in force: 1 came, 0 went, 0 changed");
    feed(&mut child, "a");
    wait_for(&verdicts, "second");
    wait_for(&verdicts, "third");

    drop(child.stdin.take());
    let summary = wait_for(&said, "4 events read");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{summary}");
}
