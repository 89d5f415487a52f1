//! The manifests of the rules that ship, and the one that docs/manifest.md shows, are as manifest.schema.json says.

use std::path::Path;

use sandtrap_embed::{
    Engine, EngineLimits,
    compiler::Options,
    rules::{RuleSet, Selection},
    wit::manifest::{JSON_SCHEMA, Manifest},
};
use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn faults(manifest: &Value) -> Vec<String> {
    let schema = serde_json::from_str(JSON_SCHEMA).expect("the schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("the schema is a JSON Schema");
    schema.iter_errors(manifest).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_rules_that_ship_have_manifests_that_fit_the_schema() {
    let engine = Engine::new(EngineLimits::default()).expect("an engine");
    let set =
        RuleSet::load(&engine, &[repository().join("rules")], &Options::default(), &Selection::default(), &|_| {});
    assert!(set.rules.len() >= 6, "{} rules", set.rules.len());
    for rule in &set.rules {
        let manifest = serde_json::to_value(rule.detection.manifest()).expect("a manifest is JSON");
        assert_eq!(faults(&manifest), Vec::<String>::new(), "{}", rule.file.display());
    }
}

#[test]
fn the_documented_manifest_is_one() {
    let page = std::fs::read_to_string(repository().join("docs/manifest.md")).expect("the page");
    let shown = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of JSON");
    let value: Value = serde_json::from_str(shown).expect("it is JSON");
    assert_eq!(faults(&value), Vec::<String>::new());
    let manifest: Manifest = serde_json::from_value(value.clone()).expect("it is a manifest");
    manifest.plan.validate().expect("with a sound plan");
    assert_eq!(serde_json::to_value(manifest).ok(), Some(value), "nothing in it is unknown");
}
