//! `sandtrap inspect`.

use super::*;

#[test]
fn a_component_says_what_it_is_and_imports_nothing() {
    let component = shipped_component();
    let ended = Scene::new(&[]).call(&["inspect", &component.to_string_lossy()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in
        ["sandtrap/dga-entropy", "imports     none", "stream DeviceNetworkEvents", "prefilter", "Domain: string"]
    {
        assert!(ended.stdout.contains(part), "{part:?} should be in\n{}", ended.stdout);
    }
}

#[test]
fn json_has_the_whole_manifest() {
    let scene = Scene::new(&[("by_device.kql", BY_DEVICE)]);
    let ended = scene.call(&["inspect", "by_device.kql", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(value["imports"], serde_json::json!([]));
    assert_eq!(value["manifest"]["plan"]["nodes"][0]["source"]["lookback"]["from"]["ago"], 864_000_000_000_i64);
    assert!(value["bytes"].as_u64().is_some_and(|bytes| bytes > 0 && bytes <= 60 << 10), "at most 60 KiB: {value}");
}

#[test]
fn a_component_with_an_import_is_refused_by_its_name() {
    let component = r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#;
    let scene = Scene::new(&[]);
    scene.write("import.wasm", &wat::parse_str(component).expect("sound text"));
    let ended = scene.call(&["inspect", "import.wasm"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    ended.assert_stderr(&["import.wasm: ", "wasi:cli/environment@0.2.0"]);
}

/// Three rules, of which one asks only for what must not be there.
const RULES: &[(&str, &str)] = &[
    (
        "rules/looks.yml",
        "title: Looks\nid: 5e7a0a2c-0f1f-4a38-9a65-0f0c6c0f5a11\nlogsource: {category: test}\n\
         detection:\n  s: {Image: x}\n  condition: s\n",
    ),
    (
        "rules/excludes.yml",
        "title: Excludes\nid: 5e7a0a2c-0f1f-4a38-9a65-0f0c6c0f5a12\nlogsource: {category: test}\n\
         detection:\n  s: {Image: x}\n  condition: not s\n",
    ),
    ("rules/everything.kql", "DeviceNetworkEvents | take 5"),
];

#[test]
fn detections_that_nothing_prunes_are_listed_with_the_reason() {
    let scene = Scene::new(RULES);
    let ended = scene.call(&["inspect", "--unpruned", "rules"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in
        ["excludes.yml", "Excludes", "it only says what `Image` is not", "everything.kql", "it has no condition"]
    {
        assert!(ended.stdout.contains(part), "{part:?} should be in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("Looks"), "{}", ended.stdout);
    ended.assert_stderr(&["2 of 3 detections are candidates for every event of their streams"]);

    let ended = scene.call(&["inspect", "--unpruned", "--format", "json", "rules/excludes.yml"]);
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(value["not_pruned"], "it only says what `Image` is not");
    assert_eq!(value["title"], "Excludes");
}

#[test]
fn a_rule_is_shown_with_the_reason_and_a_component_without() {
    let scene = Scene::new(RULES);
    let shown = scene.call(&["inspect", "rules/excludes.yml"]).stdout;
    assert!(shown.contains("unpruned  it only says what `Image` is not"), "{shown}");
    let shown = scene.call(&["inspect", "rules/looks.yml"]).stdout;
    assert!(!shown.contains("unpruned"), "{shown}");

    let compiled = scene.call(&["compile", "rules/excludes.yml", "-o", "excludes.wasm"]);
    assert_eq!(compiled.code, Some(0), "{compiled:?}");
    let shown = scene.call(&["inspect", "excludes.wasm"]).stdout;
    assert!(shown.contains("unpruned  nothing in its manifest prunes it"), "{shown}");
    let listed = scene.call(&["inspect", "--unpruned", "excludes.wasm"]).stdout;
    assert!(listed.contains("nothing in its manifest prunes it"), "{listed}");
}
