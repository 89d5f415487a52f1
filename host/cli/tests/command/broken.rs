//! A folder in which most rules are broken: each costs only itself, and says where and what to do.

use std::{fmt::Write as _, fs};

use super::*;

/// Each broken file, the code of its one error, where it is, and what the advice says.
const BROKEN: [(&str, &str, &str, &str); 7] = [
    ("bad_yaml.yml", "RUL0004", "2:5", "an indentation, a quote or a bracket"),
    ("condition.yml", "SIG0301", "9:27", "a condition reads like"),
    ("huge.yml", "RUL0002", "1:1", "split the rule"),
    ("modifier.yml", "SIG0201", "8:11", "did you mean `endswith`?"),
    ("no_rule.yml", "SEN0005", "1:1", "`title`, `logsource` and `detection`"),
    ("regex.yml", "SIG0603", "8:16", "repeat less often"),
    ("undefined.yml", "SIG0302", "9:28", "the searches are `selection`"),
];

fn scene() -> Scene {
    let sound = process_rule("whoami", r"Image|endswith: '\whoami.exe'");
    let with = |id: &str, condition: &str| {
        sound
            .replace("id: whoami", &format!("id: {id}"))
            .replace("condition: selection", &format!("condition: {condition}"))
    };
    let mut values = String::from("Image:\n");
    for number in 0..400_000 {
        let _ = writeln!(values, "      - value-{number:012}");
    }
    assert!(values.len() > 10_000_000, "10 MB");
    let huge = process_rule("huge", &values);
    Scene::new(&[
        ("rules/bad_yaml.yml", "title: T\n  id: a\n"),
        ("rules/condition.yml", &with("condition", "selection and")),
        ("rules/huge.yml", &huge),
        ("rules/modifier.yml", &process_rule("modifier", "Image|endwith: a")),
        ("rules/no_rule.yml", "services: {web: nginx}\n"),
        ("rules/regex.yml", &process_rule("regex", "Image|re: '((a{1000}){1000}){1000}'")),
        ("rules/sound.yml", &sound),
        ("rules/undefined.yml", &with("undefined", "selection and filter")),
        ("events.ndjson", PROCESSES),
    ])
}

/// Each broken file has its error, and nothing else is said about it.
fn assert_errors(ended: &Ended) {
    let errors: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(errors.len(), BROKEN.len(), "{}", ended.stderr);
    for (file, code, place, help) in BROKEN {
        let error = ended.stderr.split("error[").find(|error| error.contains(file)).unwrap_or_default();
        assert!(error.starts_with(code), "{file}: {code} should be in\n{}", ended.stderr);
        for part in [format!("rules/{file}:{place}\n"), help.to_owned()] {
            assert!(error.contains(&part), "{file}: {part:?} should be in\n{error}");
        }
    }
    assert!(ended.stderr.len() < 10_000, "the huge rule is not printed");
}

#[test]
fn the_others_are_compiled() {
    let scene = scene();
    let ended = scene.call(&["compile", "rules", "-o", "out"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_errors(&ended);
    ended.assert_stderr(&["rules/sound.yml -> out/sound.wasm", "7 rules do not compile"]);
    let written = fs::read_dir(scene.path("out")).expect("a folder").count();
    assert_eq!(written, 1, "{ended:?}");
}

#[test]
fn the_others_run() {
    let ended = scene().call(&["run", "rules", "--events", "events.ndjson"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_errors(&ended);
    let found: Vec<String> = ended.verdicts().into_iter().map(|(id, _)| id).collect();
    assert_eq!(found, ["local/whoami", "local/whoami"]);
    ended.assert_stderr(&["7 rules did not run: 7 do not compile, 0 cannot be loaded"]);
}

#[test]
fn a_file_that_is_no_utf8_says_where() {
    let scene = Scene::new(&[]);
    scene.write("latin.yml", b"title: T\nauthor: Kr\xe4mer\n");
    let ended = scene.call(&["compile", "latin.yml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["latin.yml: the file is not UTF-8 in line 2, at byte 11; save it as UTF-8"]);
}
