//! `sandtrap run`.

use std::{fs, io::Read as _, process::Stdio};

use serde_json::json;

use super::*;

fn scene() -> Scene {
    Scene::new(&[("rules/pikvm.kql", PIKVM), ("rules/by_device.kql", BY_DEVICE), ("events.ndjson", EVENTS)])
}

#[test]
fn verdicts_go_to_standard_output_and_the_summary_to_standard_error() {
    let ended = scene().call(&["run", "rules", "--events", "events.ndjson"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found = ended.verdicts();
    let columns: Vec<_> = found.iter().map(|(_, columns)| columns.clone()).collect();
    assert_eq!(
        columns,
        [
            json!({"Timestamp": "2024-05-01T08:00:00.0000000Z", "DeviceName": "b"}),
            json!({"Timestamp": "2024-05-02T09:00:00.0000000Z", "DeviceName": "b"}),
            json!({"DeviceName": "b", "Count": 2}),
            json!({"DeviceName": "a", "Count": 1}),
        ]
    );
    ended.assert_stderr(&["4 events read, 0 bad lines", "lookback: all events count", "by_device", "pikvm"]);
}

#[test]
fn a_query_looks_back_from_now_when_asked_to() {
    let now = ["--now", "2024-05-02T10:00:00Z", "--lookback", "query"];
    let ended = scene().call(&[&["run", "rules/by_device.kql", "--events", "events.ndjson"][..], &now].concat());
    let columns: Vec<_> = ended.verdicts().into_iter().map(|(_, columns)| columns).collect();
    assert_eq!(columns, [json!({"DeviceName": "b", "Count": 1})]);
    assert!(!ended.stderr.contains("lookback: all"), "{}", ended.stderr);
}

#[test]
fn tables_are_what_kql_would_print() {
    let scene = scene();
    scene.write("rules/pikvm.kql", format!("{PIKVM}| sort by Timestamp desc").as_bytes());
    let ended = scene.call(&["run", "rules/pikvm.kql", "--events", "events.ndjson", "--format", "table"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].ends_with("2 rows"), "{}", ended.stdout);
    let later = ended.stdout.find("2024-05-02").expect("the later event");
    assert!(later < ended.stdout.find("2024-05-01").expect("the earlier event"), "sorted\n{}", ended.stdout);
}

#[test]
fn what_stands_above_a_sort_holds_for_verdicts_too() {
    let scene = Scene::new(&[(
        "events.ndjson",
        r#"{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-01T08:00:00Z","DeviceName":"a","RemotePort":443}
{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-01T09:00:00Z","DeviceName":"b","RemotePort":null}
{"Type":"DeviceNetworkEvents","Timestamp":"2024-05-01T07:00:00Z","DeviceName":"c","RemotePort":80}
"#,
    )]);
    for (above, columns) in [
        ("where RemotePort == 80 | project DeviceName", &[json!({"DeviceName": "c"})][..]),
        ("project DeviceName | where DeviceName != 'b'", &[json!({"DeviceName": "a"}), json!({"DeviceName": "c"})]),
        (
            "where RemotePort > 0 | extend x = RemotePort + 1 | sort by x desc | project x, DeviceName",
            &[json!({"x": 444, "DeviceName": "a"}), json!({"x": 81, "DeviceName": "c"})],
        ),
    ] {
        scene.write("x.kql", format!("DeviceNetworkEvents | sort by Timestamp asc | {above}").as_bytes());
        let ended = scene.call(&["run", "x.kql", "--events", "events.ndjson"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let found: Vec<_> = ended.verdicts().into_iter().map(|(_, columns)| columns).collect();
        assert_eq!(found, columns, "{above}: each event's verdict, in the order of the events");
    }
}

#[test]
fn an_edited_rule_is_run_and_not_the_component_beside_it() {
    let rule = |name: &str| format!("DeviceNetworkEvents | where DeviceName == '{name}' | project DeviceName\n");
    let yaml = |name: &str| format!("id: z\nname: z\nquery: {}", rule(name));
    let scene = Scene::new(&[("r/a.kql", &rule("a")), ("r/z.yaml", &yaml("a")), ("events.ndjson", EVENTS)]);
    assert_eq!(scene.call(&["compile", "r"]).code, Some(0));
    assert!(scene.path("r/a.wasm").exists() && scene.path("r/z.wasm").exists(), "both are written beside the rules");
    scene.write("r/a.kql", rule("b").as_bytes());
    scene.write("r/z.yaml", yaml("b").as_bytes());
    let ended = scene.call(&["run", "r", "--events", "events.ndjson"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found: Vec<_> = ended.verdicts().into_iter().map(|(_, columns)| columns).collect();
    assert_eq!(found, vec![json!({"DeviceName": "b"}); 4], "two rules, two events");
}

#[test]
fn standard_input_is_read_when_asked_for() {
    let ended = scene().call_with_input(&["run", "rules/pikvm.kql", "--events", "-"], EVENTS);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(0), 2), "{ended:?}");
    assert!(ended.stdout.contains(r#""event":{"source":"-","line":1,"#), "{}", ended.stdout);
}

#[test]
fn verdicts_do_not_wait_for_the_end_of_a_quiet_input() {
    let scene = scene();
    let mut command = scene.command(&["run", "rules/pikvm.kql", "--events", "-"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it can be started");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(EVENTS.lines().next().expect("an event").as_bytes()).expect("it reads");
    input.write_all(b"\n").expect("it reads");
    // The input stays open: this read ends only when the verdict comes.
    let mut start = [0; 12];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut start).expect("a verdict");
    assert_eq!(&start, b"{\"detection\"");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn groups_are_reported_while_reading_when_an_interval_is_given() {
    let scene = scene();
    let mut command = scene.command(&["run", "rules/by_device.kql", "--events", "-", "--interval", "1"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it can be started");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(EVENTS.as_bytes()).expect("it reads");
    let mut start = [0; 12];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut start).expect("a group, while the input is open");
    drop(input);
    let rest = child.wait_with_output().expect("it ends").stdout;
    let rest = String::from_utf8(rest).expect("UTF-8");
    assert!(rest.contains(r#""group":{"revision":1,"final":false}"#), "{rest}");
    assert!(rest.contains(r#""group":{"revision":null,"final":true}"#), "{rest}");
}

#[test]
fn a_bad_line_is_reported_and_fatal_only_when_strict() {
    let scene = scene();
    scene.write("bad.ndjson", format!("not json\n{EVENTS}").as_bytes());
    let args = ["run", "rules/pikvm.kql", "--events", "bad.ndjson"];
    let ended = scene.call(&args);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(0), 2), "{ended:?}");
    ended.assert_stderr(&["bad.ndjson:1: the line is not JSON", "1 bad lines"]);
    let ended = scene.call(&[&args[..], &["--strict"]].concat());
    assert_eq!((ended.code, ended.verdicts().len()), (Some(3), 0), "{ended:?}");
    ended.assert_stderr(&["bad.ndjson:1: the line is not JSON", "stopped at the first bad line"]);
}

#[test]
fn a_missing_input_is_said_and_the_others_are_read() {
    let ended = scene().call(&["run", "rules/pikvm.kql", "--events", "nowhere", "--events", "events.ndjson"]);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(3), 2), "{ended:?}");
    ended.assert_stderr(&["error: nowhere: No such file"]);
}

#[test]
fn a_refused_rule_is_shown_and_the_others_run() {
    let scene = scene();
    scene.write("rules/bad.kql", b"DeviceNetworkEvents\n| where RemotePort ==\n");
    scene.write("rules/module.wasm", b"\0asm\x01\0\0\0");
    let ended = scene.call(&["run", "rules", "--events", "events.ndjson"]);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(1), 4), "{ended:?}");
    ended.assert_stderr(&["bad.kql:2:", "error[KQL", "module.wasm: ", "2 rules did not run"]);
}

#[test]
fn a_compiled_and_a_hand_written_detection_run_side_by_side() {
    let scene = scene();
    fs::copy(shipped_component(), scene.path("rules/dga.wasm")).expect("the component that ships");
    let random = r#"{"Type":"DeviceNetworkEvents","DeviceName":"c","RemoteUrl":"xq7vk2zt9pw4jm8r.biz"}"#;
    let ended = scene.call_with_input(&["run", "rules", "--events", "-"], &format!("{EVENTS}{random}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let dga: Vec<_> = ended.verdicts().into_iter().filter(|(id, _)| id == "sandtrap/dga-entropy").collect();
    assert_eq!(dga.len(), 1, "{}", ended.stdout);
    assert_eq!(dga[0].1["Domain"], "xq7vk2zt9pw4jm8r.biz");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = scene();
    scene.write("many.ndjson", EVENTS.repeat(20_000).as_bytes());
    let mut command = scene.command(&["run", "rules/pikvm.kql", "--events", "many.ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 10]).expect("a verdict");
    drop(out);
    let ended = ended(child.wait_with_output().expect("it ends"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    for args in [
        &["run", "rules"][..],
        &["run", "--events", "-"],
        &["run", "rules", "--events", "-", "--events", "-"],
        &["run", "rules", "--events", "-", "--now", "yesterday"],
        &["run", "rules", "--events", "-", "--interval", "0"],
        &["run", "rules", "--events", "-", "--format", "xml"],
        &["fly"],
    ] {
        let ended = scene().call(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{args:?}: {ended:?}");
    }
}

#[test]
fn no_rule_at_all_is_an_error() {
    let scene = scene();
    scene.write("empty/README.md", b"");
    let ended = scene.call(&["run", "empty", "--events", "events.ndjson"]);
    assert_eq!(ended.code, Some(1));
    ended.assert_stderr(&["there is no rule here"]);
}

#[test]
fn an_event_with_text_that_is_no_unicode_is_not_lost() {
    let scene = scene();
    let events = EVENTS.replacen("\"DeviceName\"", "\"Note\":\"\\ud800\",\"DeviceName\"", 1);
    assert_ne!(events, EVENTS);
    scene.write("events.ndjson", events.as_bytes());
    let ended = scene.call(&["run", "rules/pikvm.kql", "--events", "events.ndjson", "--strict"]);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(0), 2), "{ended:?}");
    ended.assert_stderr(&["4 events read, 0 bad lines", "repaired lines: 1"]);
}
