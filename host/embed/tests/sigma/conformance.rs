//! The conformance tables: what the specification says of rules and events. conformance/README.md says what they hold.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use sandtrap_compiler::reference::sigma::Placeholders;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value};

use crate::run::{File, Sandbox};

/// One entry of a table.
struct Case {
    section: String,
    file: String,
    placeholders: Placeholders,
    /// Verdicts and events; or what the error says.
    expected: Result<Vec<Row>, String>,
}

/// A verdict and its event.
type Row = (bool, Map<String, Value>);

fn cases() -> Vec<(String, Vec<Case>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sigma/conformance");
    let mut tables: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of tables")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    tables.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a table");
        let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let cases = documents[0].as_vec().expect("a list of cases").iter().map(case).collect();
        (path.file_name().expect("a name").to_string_lossy().into_owned(), cases)
    };
    tables.iter().map(read).collect()
}

fn case(yaml: &Yaml<'_>) -> Case {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in yaml.as_mapping().expect("a case is a map") {
        keys.insert(key.as_str().expect("a key"), value.as_str().expect("keys have texts"));
    }
    let mut take = |key| keys.remove(key);
    let section = take("section").expect("a section").to_owned();
    let detection = take("rule").expect("a rule");
    let mut file = String::from(
        "title: Conformance\nid: 1f5e0b1c-3c57-4d0e-9f0e-9a9f6a3c7b10\nlogsource:\n    category: test\ndetection:\n",
    );
    indent(&mut file, detection);
    if !detection.contains("condition:") {
        file.push_str("    condition: selection\n");
    }
    if let Some(filter) = take("filters") {
        file.push_str("---\ntitle: Filter\nid: 0f7c4a8e-7df0-4a0a-8bd7-0a6f1a8d2c11\n");
        file.push_str("logsource:\n    category: test\nfilter:\n    rules: [1f5e0b1c-3c57-4d0e-9f0e-9a9f6a3c7b10]\n");
        indent(&mut file, filter);
    }
    let placeholders = take("placeholders").map(placeholders).unwrap_or_default();
    let expected = match (take("events"), take("refused")) {
        (Some(events), None) => Ok(events.lines().map(event).collect()),
        (None, Some(refused)) => Err(refused.to_owned()),
        _ => panic!("{section}: either events or refused"),
    };
    assert!(keys.is_empty(), "{section}: unknown keys {keys:?}");
    Case { section, file, placeholders, expected }
}

fn indent(file: &mut String, text: &str) {
    for line in text.lines() {
        writeln!(file, "    {line}").expect("a string takes everything");
    }
}

fn placeholders(text: &str) -> Placeholders {
    let documents = Yaml::load_from_str(text).expect("placeholders");
    let text = |value: &Yaml<'_>| match (value.as_str(), value.as_integer()) {
        (Some(text), _) => text.to_owned(),
        (None, number) => number.expect("text or a number").to_string(),
    };
    let values = |values: &Yaml<'_>| values.as_vec().expect("a list").iter().map(text).collect();
    let entries = documents[0].as_mapping().expect("a map").iter();
    entries.map(|(name, list)| (text(name), values(list))).collect()
}

fn event(line: &str) -> (bool, Map<String, Value>) {
    let (verdict, event) = line.trim().split_once(' ').expect("a verdict and an event");
    let event = serde_json::from_str(event.trim()).unwrap_or_else(|error| panic!("{line}: {error}"));
    (verdict.parse().unwrap_or_else(|_| panic!("{line}: true or false")), event)
}

/// Every row, in the reference interpreter and in the sandbox.
#[test]
fn tables_hold() {
    let sandbox = Sandbox::new();
    let (mut rows, mut failures) = (0, Vec::new());
    for (table, cases) in cases() {
        for case in cases {
            rows += case.expected.as_ref().map_or(1, Vec::len);
            if let Err(reason) = check(&sandbox, &case) {
                failures.push(format!("{table}: {}\n{}{reason}\n", case.section, case.file));
            }
        }
    }
    println!("{rows} rows of conformance tables");
    assert!(failures.is_empty(), "{} cases fail\n\n{}", failures.len(), failures.join("\n"));
    assert!(rows >= 600, "only {rows} rows: a table is not read");
}

fn check(sandbox: &Sandbox, case: &Case) -> Result<(), String> {
    let file = File::read(case.file.clone());
    let compiled = file.as_ref().map_err(Clone::clone).and_then(|file| sandbox.compile(file, &case.placeholders));
    let rows = match &case.expected {
        Ok(rows) => rows,
        Err(says) => {
            return match compiled {
                Ok(_) => Err("it compiles".into()),
                Err(error) if error.to_lowercase().contains(&says.to_lowercase()) => Ok(()),
                Err(error) => Err(format!("the error does not say {says:?}: {error}")),
            };
        }
    };
    let events: Vec<_> = rows.iter().map(|(_, event)| event.clone()).collect();
    let reference = file?.expected(&case.placeholders, &events).map_err(|error| format!("reference: {error}"));
    let component =
        compiled.and_then(|compiled| compiled.verdicts(&events)).map_err(|error| format!("component: {error}"));
    let mut wrong = String::new();
    for (who, verdicts) in [("reference", reference), ("component", component)] {
        match verdicts {
            Err(error) => wrong.extend([error.as_str(), "\n"]),
            Ok(verdicts) => {
                for (verdict, (expected, event)) in verdicts.iter().zip(rows) {
                    if verdict != expected {
                        let event = Value::Object(event.clone()).to_string();
                        wrong.extend([who, " says ", if *verdict { "true" } else { "false" }, " of ", &event, "\n"]);
                    }
                }
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
