//! `sandtrap compile`.

use std::fs;

use super::*;

#[test]
fn components_are_written_beside_rules_or_where_asked() {
    let scene = Scene::new(&[("rules/pikvm.kql", PIKVM), ("rules/by_device.kql", BY_DEVICE)]);
    let is_component =
        |name: &str| fs::read(scene.path(name)).is_ok_and(|bytes| bytes.starts_with(b"\0asm\x0d\0\x01\0"));
    for (args, written) in [
        (&["compile", "rules/pikvm.kql"][..], &["rules/pikvm.wasm"][..]),
        (&["compile", "rules/pikvm.kql", "-o", "one.wasm"], &["one.wasm"]),
        (&["compile", "rules", "-o", "out/deep"], &["out/deep/pikvm.wasm", "out/deep/by_device.wasm"]),
    ] {
        let ended = scene.call(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
        assert!(written.iter().all(|name| is_component(name)), "{args:?}: {ended:?}");
    }
    let ended = scene.call(&["compile", "rules/pikvm.kql", "rules/by_device.kql", "-o", "one.wasm"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn rules_that_would_be_written_to_one_file_are_refused_before_anything_is_written() {
    let scene = Scene::new(&[("r/a/x.kql", PIKVM), ("r/a/y.kql", PIKVM), ("r/b/x.kql", BY_DEVICE)]);
    let ended = scene.call(&["compile", "r/a", "r/b", "-o", "out"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["r/a/x.kql", "r/b/x.kql", "out/x.wasm"]);
    assert!(!scene.path("out/x.wasm").exists() && !scene.path("out/y.wasm").exists(), "{ended:?}");
    assert_eq!(scene.call(&["compile", "r"]).code, Some(0), "beside the rules they are apart");
    assert_eq!(scene.call(&["compile", "r/a", "r/b", "--emit", "plan"]).code, Some(0), "nothing is written");

    scene.write("r/b/x.yaml", format!("id: x\nname: x\nquery: {}", PIKVM.replace('\n', " ")).as_bytes());
    let ended = scene.call(&["compile", "r/b"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["r/b/x.kql", "r/b/x.yaml", "r/b/x.wasm"]);
}

#[test]
fn a_written_component_runs_like_its_rule() {
    let scene = Scene::new(&[("pikvm.kql", PIKVM), ("events.ndjson", EVENTS)]);
    assert_eq!(scene.call(&["compile", "pikvm.kql", "-o", "pikvm.wasm"]).code, Some(0));
    let from_rule = scene.call(&["run", "pikvm.kql", "--events", "events.ndjson"]);
    let from_component = scene.call(&["run", "pikvm.wasm", "--events", "events.ndjson"]);
    assert_eq!(from_rule.verdicts().len(), 2, "{from_rule:?}");
    assert_eq!(from_component.stdout, from_rule.stdout);
}

#[test]
fn intermediate_forms_are_printed() {
    let scene = Scene::new(&[("pikvm.kql", PIKVM)]);
    for (form, part) in [("plan", "\"stream\": \"DeviceNetworkEvents\""), ("wat", "(module"), ("ast", "Where")] {
        let ended = scene.call(&["compile", "pikvm.kql", "--emit", form]);
        assert_eq!(ended.code, Some(0), "{form}: {ended:?}");
        assert!(ended.stdout.contains(part), "{form}: {part:?} should be in\n{}", ended.stdout);
    }
    assert!(!scene.path("pikvm.wasm").exists(), "nothing is written");
    let scene = Scene::new(&[("half.kql", "Unheard | where X == 1\n")]);
    let ended = scene.call(&["compile", "half.kql", "--emit", "ast"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("Unheard"), "what there is of it is printed: {ended:?}");
    ended.assert_stderr(&["error[KQL"]);
}

#[test]
fn an_error_shows_file_line_caret_and_code() {
    let scene = Scene::new(&[("bad.kql", "DeviceNetworkEvents\n| where RemotePort ==\n")]);
    let ended = scene.call(&["compile", "bad.kql"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["error[KQL", "bad.kql:2:", "| where RemotePort ==", "^"]);
}

#[test]
fn a_missing_column_is_a_warning_and_under_strict_schema_an_error() {
    let scene = Scene::new(&[("upn.kql", "DeviceNetworkEvents | where AccountUpn has 'x' | project DeviceName\n")]);
    let ended = scene.call(&["compile", "upn.kql"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.assert_stderr(&["warning[KQL", "AccountUpn"]);
    let ended = scene.call(&["compile", "upn.kql", "--strict-schema"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["error[KQL", "AccountUpn"]);
}

#[test]
fn what_is_no_rule_is_refused() {
    let scene = Scene::new(&[("notes.txt", "")]);
    for path in ["notes.txt", "nowhere.kql"] {
        let ended = scene.call(&["compile", path]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        ended.assert_stderr(&[path]);
    }
}

#[test]
fn a_folder_keeps_its_folders_and_is_summed_up() {
    let scene = Scene::new(&[
        ("rules/windows/a.yml", &process_rule("one", "Image: a")),
        ("rules/windows/deep/a.yml", &process_rule("two", "Image: a")),
        ("rules/pikvm.kql", PIKVM),
    ]);
    let ended = scene.call(&["compile", "rules", "-o", "out"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    for written in ["out/windows/a.wasm", "out/windows/deep/a.wasm", "out/pikvm.wasm"] {
        assert!(scene.path(written).exists(), "{written}: {ended:?}");
        ended.assert_stderr(&[&format!("-> {written}, ")]);
    }
    ended.assert_stderr(&["3 components written, "]);
}

#[test]
fn of_many_rules_only_the_number_is_said() {
    let scene = Scene::new(&[]);
    for number in 0..30 {
        let (name, id) = (format!("rules/{number}.yml"), format!("rule-{number}"));
        scene.write(&name, process_rule(&id, &format!("Image: a{number}")).as_bytes());
    }
    let ended = scene.call(&["compile", "rules", "-o", "out"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.assert_stderr(&["30 components written, "]);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert_eq!(fs::read_dir(scene.path("out")).expect("a folder").count(), 30);
}

#[test]
fn the_rules_of_a_collection_have_their_ids_in_their_names() {
    let collection = format!("{}---\n{}", process_rule("one", "Image: a"), process_rule("two", "Image: b"));
    let scene = Scene::new(&[("rules/both.yml", &collection)]);
    let ended = scene.call(&["compile", "rules", "-o", "out"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(scene.path("out/both.one.wasm").exists() && scene.path("out/both.two.wasm").exists(), "{ended:?}");
    scene.write("rules/both.two.yml", process_rule("three", "Image: c").as_bytes());
    let ended = scene.call(&["compile", "rules", "-o", "again"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["rules/both.two.yml", "rules/both.yml", "again/both.two.wasm"]);
    assert!(!scene.path("again/both.one.wasm").exists(), "nothing is written: {ended:?}");
}

#[test]
fn a_folder_without_rules_is_an_error() {
    let scene = Scene::new(&[("rules/README.md", "")]);
    for command in ["compile", "lint"] {
        let ended = scene.call(&[command, "rules"]);
        assert_eq!(ended.code, Some(1), "{command}: {ended:?}");
        ended.assert_stderr(&["there is no rule here"]);
    }
}
