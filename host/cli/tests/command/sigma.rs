//! `sandtrap run` with Sigma rules: which of them take part, and how what they find is printed.

use super::*;

const RUN: [&str; 4] = ["run", "rules", "--events", "events.ndjson"];

/// Two rules: `who`, high, test, and `cmd`, low, experimental, with other tags.
fn scene() -> Scene {
    let cmd = process_rule("cmd", r"Image|endswith: '\cmd.exe'")
        .replace("level: high", "level: low")
        .replace("status: test", "status: experimental")
        .replace("attack.t1059.001", "attack.execution, detection.threat-hunting");
    Scene::new(&[
        ("rules/who.yml", &process_rule("who", r"Image|endswith: '\whoami.exe'")),
        ("rules/cmd.yml", &cmd),
        ("events.ndjson", PROCESSES),
    ])
}

fn found(ended: &Ended) -> Vec<String> {
    ended.verdicts().into_iter().map(|(id, _)| id).collect()
}

#[test]
fn rules_are_selected_by_level_status_tag_and_id() {
    let scene = scene();
    for (options, expected, left_out) in [
        (&[][..], &["local/who", "local/who", "local/cmd"][..], false),
        (&["--level", "medium"], &["local/who", "local/who"], true),
        (&["--level", "low"], &["local/who", "local/who", "local/cmd"], false),
        (&["--status", "experimental"], &["local/cmd"], true),
        (&["--status", "experimental,test"], &["local/who", "local/who", "local/cmd"], false),
        (&["--tag", "attack.t1059"], &["local/who", "local/who"], true),
        (&["--tag", "detection.threat-hunting"], &["local/cmd"], true),
        (&["--tag", "attack"], &["local/who", "local/who", "local/cmd"], false),
        (&["--exclude-id", "who"], &["local/cmd"], true),
        (&["--exclude-id", "local/cmd"], &["local/who", "local/who"], true),
    ] {
        let ended = scene.call(&[&RUN[..], options].concat());
        assert_eq!(ended.code, Some(0), "{options:?}: {ended:?}");
        assert_eq!(found(&ended), expected, "{options:?}");
        assert_eq!(ended.stderr.contains("1 rules were left out"), left_out, "{options:?}: {}", ended.stderr);
    }
    let ended = scene.call(&[&RUN[..], &["--level", "critical"]].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["none of the 2 rules is selected"]);
}

#[test]
fn a_summary_counts_verdicts_by_level_and_rule_the_gravest_first() {
    let ended = scene().call(&[&RUN[..], &["--format", "summary"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected: [&[&str]; 7] = [
        &["level", "detections", "verdicts"],
        &["high", "1", "2"],
        &["low", "1", "1"],
        &[],
        &["level", "verdicts", "detection", "title"],
        &["high", "2", "local/who", "About", "who"],
        &["low", "1", "local/cmd", "About", "cmd"],
    ];
    assert_eq!(lines, expected, "{}", ended.stdout);
}

#[test]
fn tables_show_the_fields_that_a_rule_reads() {
    let ended = scene().call(&[&RUN[..], &["--format", "table", "--exclude-id", "cmd"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let heading = ended.stdout.lines().next().unwrap_or_default();
    assert_eq!(heading, "local/who (high): About who, 2 rows");
    assert_eq!(ended.stdout.matches(r"C:\Windows\whoami.exe").count(), 2, "{}", ended.stdout);
}

#[test]
fn a_correlation_rule_is_refused_and_the_rules_beside_it_run() {
    let scene = scene();
    let correlation = "title: Many\nid: many\ncorrelation:\n  type: event_count\n  rules: [who]\n  group-by: [User]\n  \
                       timespan: 5m\n  condition: {gte: 3}\n";
    let who = process_rule("who", r"Image|endswith: '\whoami.exe'");
    scene.write("rules/who.yml", format!("{who}---\n{correlation}").as_bytes());
    let ended = scene.call(&RUN);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(found(&ended), ["local/who", "local/who", "local/cmd"]);
    ended.assert_stderr(&["error[SIG0701]", "rules/who.yml:15:9", "`event_count` needs the dataflow engine"]);
}
