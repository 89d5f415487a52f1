//! `sandtrap test`.

use super::*;

const PASSING: &str = r#"tests:
  - name: pikvm is found
    stream: DeviceNetworkEvents
    events:
      - {Timestamp: "2024-05-01 08:00:00", DeviceName: a, RemoteUrl: pikvm.local}
      - {Timestamp: "2024-05-01 08:00:00", DeviceName: b, RemoteUrl: notpikvm.local}
    expect:
      rows: [{DeviceName: a, Timestamp: "2024-05-01T08:00:00Z"}]
"#;

#[test]
fn tests_that_pass_are_exit_0() {
    let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", PASSING), ("untested.kql", BY_DEVICE)]);
    let ended = scene.call(&["test", "."]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("ok      pikvm is found"), "{}", ended.stdout);
    assert!(ended.stdout.contains("untested: no tests; they would be in ./untested.test.yaml"), "{}", ended.stdout);
    assert!(
        ended.stdout.ends_with("1 tests passed, 0 failed; 2 rules, 1 without tests, 0 refused\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_test_that_fails_says_what_was_found() {
    for (expect, complaints) in [
        (
            "{verdicts: 2}",
            &["expected 2 verdicts, found 1", r#"found {"Timestamp":"2024-05-01T08:00:00.0000000Z","#][..],
        ),
        ("{verdicts: 0}", &["expected 0 verdicts, found 1"]),
        ("{rows: [{DeviceName: b}]}", &[r#"row 1: DeviceName is "a", expected "b""#]),
        ("{rows: [{Device: a}]}", &["row 1: there is no column Device; the columns are Timestamp, DeviceName"]),
    ] {
        let at = PASSING.find("expect:").expect("it is there");
        let tests = format!("{}expect: {expect}\n", &PASSING[..at]);
        let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", &tests)]);
        let ended = scene.call(&["test", "pikvm.kql"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for complaint in complaints {
            assert!(ended.stdout.contains(complaint), "{complaint:?} should be in\n{}", ended.stdout);
        }
        assert!(ended.stdout.contains("FAILED  pikvm is found (pikvm.test.yaml:2)"), "{}", ended.stdout);
    }
}

#[test]
fn a_test_file_that_cannot_be_used_fails() {
    let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", "tests:\n  - {nome: x}\n")]);
    let ended = scene.call(&["test", "pikvm.kql"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("line 2: unknown key `nome`"), "{}", ended.stdout);
}

#[test]
fn a_test_that_cannot_fail_fails() {
    let sysmon =
        |id: u32, fields: &str| format!("{{Channel: Microsoft-Windows-Sysmon/Operational, EventID: {id}, {fields}}}");
    let process = sysmon(1, "UtcTime: '2024-05-01 08:00:00', Image: 'C:\\a.exe'");
    let connection = sysmon(3, "UtcTime: '2024-05-01 08:00:00', Initiated: 'true', DestinationHostname: example.org");
    let nowhere = "{EventID: 4104, Computer: pc}";
    let reads = "the rule reads the stream DeviceNetworkEvents; it never sees rows of `stream: ";
    for (test, reason) in [
        ("stream: DeviceNetworkEvent, events: [{RemoteUrl: a}]".to_owned(), reads),
        ("stream: DeviceProcessEvents, events: [{DeviceName: a}]".to_owned(), reads),
        (format!("events: [{nowhere}]"), "event 1 belongs to no stream"),
        (format!("events: [{connection}, {nowhere}]"), "event 2 belongs to no stream"),
        (format!("events: [{process}]"), "no event reaches DeviceNetworkEvents"),
        ("events: []".to_owned(), "there are no events"),
        (
            "stream: DeviceNetworkEvents, events: [{RemoteUrl: a}, {Timestamp: soon}]".to_owned(),
            "event 2: Timestamp cannot",
        ),
        (format!("reaches: none, events: [{nowhere}, {connection}]"), "event 2 reaches DeviceNetworkEvents, but"),
    ] {
        let tests = format!("tests:\n  - {{name: quiet, {test}, expect: {{verdicts: 0}}}}\n");
        let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", &tests)]);
        let ended = scene.call(&["test", "pikvm.kql"]);
        assert_eq!(ended.code, Some(1), "{test}: {ended:?}");
        assert!(ended.stdout.contains("FAILED  quiet (pikvm.test.yaml:2)"), "{test}: {}", ended.stdout);
        assert!(ended.stdout.contains(reason), "{test}: {reason:?} should be in\n{}", ended.stdout);
    }
    for test in [
        format!("events: [{process}, {connection}]"),
        format!("reaches: none, events: [{process}, {nowhere}]"),
        "stream: DeviceNetworkEvents, events: [{RemoteUrl: a}, {Timestamp: null}, {}]".to_owned(),
    ] {
        let tests = format!("tests:\n  - {{name: quiet, {test}, expect: {{verdicts: 0}}}}\n");
        let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", &tests)]);
        assert_eq!(scene.call(&["test", "pikvm.kql"]).code, Some(0), "{test}");
    }
}

#[test]
fn a_rule_with_rows_of_its_own_is_tested_without_events() {
    const OWN: &str = "datatable(x: long) [1, 2] | where x > 1\n";
    for (events, code, reason) in
        [("[]", 0, "ok      own rows"), ("[{x: 5}]", 1, "the rule brings its own rows and reads no events")]
    {
        let tests = format!("tests: [{{name: own rows, events: {events}, expect: {{rows: [{{x: 2}}]}}}}]\n");
        let ended = Scene::new(&[("own.kql", OWN), ("own.test.yaml", &tests)]).call(&["test", "own.kql"]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stdout.contains(reason), "{}", ended.stdout);
    }
}

#[test]
fn a_test_file_without_its_rule_fails() {
    for orphan in ["deep/pikvn.test.yaml", "pikvm.test.yml"] {
        let scene = Scene::new(&[("pikvm.kql", PIKVM), ("pikvm.test.yaml", PASSING), (orphan, PASSING)]);
        let ended = scene.call(&["test", "."]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stdout.contains(&format!("./{orphan}: FAILED, no rule beside it")), "{}", ended.stdout);
        assert!(ended.stdout.contains("ok      pikvm is found"), "{}", ended.stdout);
    }
}

#[test]
fn sigma_rules_have_tests_too() {
    let events: String = PROCESSES.lines().flat_map(|event| ["      - ", event, "\n"]).collect();
    for (verdicts, code, said) in [(2, 0, "ok      whoami is found"), (1, 1, "expected 1 verdicts, found 2")] {
        let tests =
            format!("tests:\n  - name: whoami is found\n    events:\n{events}    expect: {{verdicts: {verdicts}}}\n");
        let rule = process_rule("who", r"Image|endswith: '\whoami.exe'");
        let ended = Scene::new(&[("who.yml", &rule), ("who.test.yaml", &tests)]).call(&["test", "."]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stdout.contains(said), "{}", ended.stdout);
    }
}
