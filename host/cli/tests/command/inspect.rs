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
