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
