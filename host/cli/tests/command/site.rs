//! What a site adds to the rules of others: filters, pipelines and placeholders.

use serde_json::json;

use super::*;

const RUN: [&str; 4] = ["run", "rules", "--events", "events.ndjson"];

fn filter(rules: &str, logsource: &str, selection: &str) -> String {
    format!(
        "title: Not ours\nid: not-ours\nlogsource: {{{logsource}}}\nfilter:\n  rules: {rules}\n  ours: {{{selection}}}\n  \
         condition: not ours\n"
    )
}

const OF_PROCESSES: &str = "category: process_creation, product: windows";

#[test]
fn a_filter_narrows_a_sigma_rule() {
    let who = process_rule("who", r"Image|endswith: '\whoami.exe'").replace("level", "fields: [User]\nlevel");
    for rules in ["[who]", "who", "any"] {
        let scene = Scene::new(&[
            ("rules/who.yml", &who),
            ("rules/filters/not_ours.yml", &filter(rules, OF_PROCESSES, "User: alice")),
            ("events.ndjson", PROCESSES),
        ]);
        let ended = scene.call(&RUN);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let users: Vec<_> = ended.verdicts().into_iter().map(|(_, mut columns)| columns["User"].take()).collect();
        assert_eq!(users, [json!("bob")], "{rules}");
        assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    }
}

#[test]
fn a_filter_narrows_a_kql_rule_that_it_names() {
    let scene = Scene::new(&[("rules/pikvm.kql", PIKVM), ("events.ndjson", EVENTS)]);
    for (rules, verdicts) in [("[pikvm]", 1), ("any", 2)] {
        let filter = filter(rules, "category: network_connection, product: windows", "RemoteUrl|endswith: .local");
        scene.write("rules/filter.yml", filter.as_bytes());
        let ended = scene.call(&RUN);
        assert_eq!((ended.code, ended.verdicts().len()), (Some(0), verdicts), "{rules}: {ended:?}");
    }
}

#[test]
fn a_filter_that_narrows_nothing_is_a_warning() {
    for (rules, logsource) in [("[whom]", OF_PROCESSES), ("[who]", "category: file_event, product: windows")] {
        let scene = Scene::new(&[
            ("rules/who.yml", &process_rule("who", r"Image|endswith: '\whoami.exe'")),
            ("rules/filter.yml", &filter(rules, logsource, "User: alice")),
            ("events.ndjson", PROCESSES),
        ]);
        for args in [&RUN[..], &["compile", "rules", "-o", "out"], &["lint", "rules"]] {
            let ended = scene.call(args);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            ended.assert_stderr(&[
                "warning[SIG0704]",
                "rules/filter.yml:5:",
                "narrows none of the rules that are here",
            ]);
        }
    }
}

#[test]
fn pipelines_change_what_rules_say() {
    let pipeline = "name: ours\ntransformations:\n  - {type: field_name_mapping, mapping: {Programme: Image}}\n";
    let scene = Scene::new(&[
        ("rules/who.yml", &process_rule("who", r"Programme|endswith: '\whoami.exe'")),
        ("ours.yml", pipeline),
        ("events.ndjson", PROCESSES),
    ]);
    assert_eq!(scene.call(&RUN).verdicts().len(), 0, "no event has a Programme");
    let ended = scene.call(&[&RUN[..], &["--pipeline", "ours.yml"]].concat());
    assert_eq!((ended.code, ended.verdicts().len()), (Some(0), 2), "{ended:?}");
}

#[test]
fn placeholders_get_their_values() {
    let scene = Scene::new(&[
        ("rules/who.yml", &process_rule("who", "User|expand: '%admins%'")),
        ("ours.yml", "admins: [alice, carol]\n"),
        ("events.ndjson", PROCESSES),
    ]);
    let ended = scene.call(&RUN);
    assert_eq!((ended.code, ended.verdicts().len()), (Some(1), 0), "{ended:?}");
    ended.assert_stderr(&["error[SIG0605]", "rules/who.yml:8:"]);
    let ended = scene.call(&[&RUN[..], &["--placeholders", "ours.yml"]].concat());
    assert_eq!((ended.code, ended.verdicts().len()), (Some(0), 1), "{ended:?}");
}

#[test]
fn a_site_file_with_a_mistake_ends_the_command() {
    let scene = Scene::new(&[
        ("rules/who.yml", &process_rule("who", r"Image|endswith: '\whoami.exe'")),
        ("pipeline.yml", "name: ours\ntransformations:\n  - {type: field_name_maping, mapping: {a: b}}\n"),
        ("placeholders.yml", "admins:\n  alice: yes\n"),
        ("events.ndjson", PROCESSES),
    ]);
    for (option, file, part) in [
        ("--pipeline", "pipeline.yml", "error[PIP0002]"),
        ("--placeholders", "placeholders.yml", "error[SIG0703]"),
        ("--pipeline", "nowhere.yml", "error: nowhere.yml: No such file"),
    ] {
        for command in [&RUN[..], &["compile", "rules", "-o", "out"], &["lint", "rules"], &["test", "rules"]] {
            let ended = scene.call(&[command, &[option, file]].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{command:?}: {ended:?}");
            ended.assert_stderr(&[part, file, "a pipeline or a file of placeholders cannot be used"]);
            assert!(!scene.path("out").exists(), "{ended:?}");
        }
    }
}
