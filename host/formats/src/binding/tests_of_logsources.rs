//! Events through the built-in map to the streams that Sigma rules want.

use std::collections::{BTreeMap, BTreeSet};

use sandtrap_wit::{
    LogicalType,
    batch::{Cell, Row},
    logsource::Logsource,
    plan::SourceColumn,
};
use serde_json::json;

use super::{
    super::route::ROUTES_MAX,
    tests::{binder, built_in, event},
    *,
};
use crate::{
    input,
    ndjson::Reader,
    yaml::{self, Data, Node},
};

/// A stream, and columns of lists.
fn wanted_lists(stream: &str, fields: &[&str]) -> Wanted {
    let column = |field: &&str| SourceColumn {
        field: field.split('/').map(str::to_owned).collect(),
        ty: LogicalType::String,
        list: true,
    };
    Wanted { stream: stream.into(), columns: fields.iter().map(column).collect() }
}

/// One text for each row: the cells, with `#` for absent, `~` for null, and the elements of a list in brackets.
fn lists(batch: &StreamBatch) -> Vec<String> {
    let cell = |row: Row<'_>| match row {
        Row::Absent => "#".to_owned(),
        Row::Null => "~".to_owned(),
        Row::Elements(elements) => {
            let texts: Vec<&str> = elements.map(|cell| if let Cell::Text(text) = cell { text } else { "?" }).collect();
            format!("[{}]", texts.join(","))
        }
    };
    let row = |row| batch.batch.columns.iter().map(|column| cell(column.row(row))).collect::<Vec<_>>().join(" ");
    (0..batch.batch.rows).map(row).collect()
}

/// What an event has in the stream, if it is in it.
fn found(stream: &str, fields: &[&str], value: &Value) -> Vec<String> {
    let mut binder = binder(built_in(), vec![wanted_lists(stream, fields)]);
    let _ = binder.push(&event(value.clone()));
    binder.take().iter().flat_map(lists).collect()
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";

#[test]
fn events_are_of_the_logsources_that_sigma_gives_them() {
    for (value, streams) in [
        (json!({"Channel": SYSMON, "EventID": 1}), "DeviceProcessEvents windows/process_creation/sysmon"),
        (
            json!({"Channel": SYSMON, "EventID": "3.0", "Initiated": 1}),
            "DeviceNetworkEvents windows/network_connection/sysmon",
        ),
        (
            json!({"Channel": SYSMON, "EventID": 12, "EventType": "CreateKey"}),
            "windows/registry_add/sysmon windows/registry_event/sysmon",
        ),
        (
            json!({"Channel": SYSMON, "EventID": 12, "EventType": "DeleteValue"}),
            "windows/registry_delete/sysmon windows/registry_event/sysmon",
        ),
        (json!({"Channel": SYSMON, "EventID": 12, "EventType": "INFO"}), "windows/registry_event/sysmon"),
        (json!({"Channel": SYSMON, "EventID": 13}), "windows/registry_set/sysmon windows/registry_event/sysmon"),
        (json!({"Channel": SYSMON, "EventID": 27}), "windows/file_block_executable/sysmon windows/file_block/sysmon"),
        (json!({"Channel": SYSMON, "EventID": 99}), "windows/*/sysmon"),
        (json!({"Channel": "security", "EventID": 4624}), "SecurityEvent windows/*/security"),
        (
            json!({"Channel": "Security", "EventID": 4688}),
            "DeviceProcessEvents SecurityEvent windows/process_creation/security",
        ),
        (
            json!({"Channel": "Microsoft-Windows-PowerShell/Operational", "EventID": 4104}),
            "windows/ps_script/powershell",
        ),
        (json!({"Channel": "Windows PowerShell", "EventID": 400}), "windows/ps_classic_start/powershell-classic"),
        (json!({"Channel": "Some/Other", "EventID": 1}), "windows/*/*"),
        (
            json!({"Event": {"System": {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Kernel-File"}}, "EventID": {"#text": 26}}}}),
            "windows/file_delete/*",
        ),
        (json!({"Channel": "Linux-Sysmon/Operational", "EventID": 1}), "linux/process_creation/sysmon"),
        (json!({"type": "EXECVE", "a0": "ls"}), "linux/*/auditd"),
        (json!({"type": "USER_CMD"}), "linux/*/auditd"),
        (json!({"type": "SYSCALL", "Channel": "Security", "EventID": 1}), "SecurityEvent windows/*/security"),
        (json!({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": "x"}), "linux/*/sshd linux/*/auth linux/*/syslog"),
        (json!({"program": "cron"}), "linux/*/cron linux/*/syslog"),
        (
            json!({"event": {"category": ["process"], "type": ["start"]}, "host": {"os": {"type": "linux"}}}),
            "linux/process_creation/*",
        ),
        (
            json!({"event.category": "process", "event.type": "start", "host.os.type": "macos"}),
            "macos/process_creation/*",
        ),
        (
            json!({"eventVersion": "1.08", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser"}),
            "aws/*/cloudtrail",
        ),
        (json!({"category": "AuditLogs", "operationName": "x"}), "azure/*/auditlogs"),
        (json!({"riskEventType": "anonymizedIPAddress"}), "azure/*/riskdetection"),
        (json!({"riskEventType": "staleSignInAlertIncident"}), "azure/*/pim"),
        (json!({"Workload": "Exchange", "Operation": "New-InboxRule"}), "m365/*/audit m365/*/exchange"),
        (json!({"apiVersion": "audit.k8s.io/v1", "verb": "get"}), "kubernetes/application/audit"),
        (json!({"_path": "dns", "query": "x"}), "zeek/dns/dns"),
        (json!({"_path": "ssl"}), "zeek/*/ssl"),
        (json!({"c-uri": "http://a", "cs-method": "GET", "cs-uri-stem": "/"}), "*/proxy/*"),
        (json!({"cs-method": "GET", "cs-uri-stem": "/"}), "*/webserver/*"),
        (json!({"logtype": 5005, "node_id": "n"}), "opencanary/application/*"),
        (json!({"logger_name": "org.springframework.web.X"}), "spring/application/* jvm/application/*"),
        (json!({"sigma": {"product": "Cisco", "service": "AAA"}}), "cisco/*/aaa"),
        (json!({"logsource.category": "database"}), "*/database/*"),
        (json!({"sigma": {"product": "a/b"}}), ""),
        (json!({"sigma": {"product": "x".repeat(101)}}), ""),
        (json!({"product": "windows", "category": "process_creation"}), ""),
    ] {
        let mut binder = binder(built_in(), Vec::new());
        let _ = binder.push(&event(value.clone()));
        let seen = binder.counts().streams().iter().filter(|(_, events)| *events > 0);
        let seen: BTreeSet<&str> = seen.map(|(stream, _)| &**stream).collect();
        let expected: BTreeSet<&str> = streams.split_terminator(' ').collect();
        assert_eq!(seen, expected, "{value}");
    }
}

#[test]
fn a_stream_is_filled_once_by_the_first_mapping_that_fits() {
    let created = json!({"Channel": "Security", "EventID": 4688, "NewProcessName": r"C:\a.exe", "ProcessId": "0x1", "NewProcessId": "0x2"});
    for (stream, expected) in [
        // The service's own names; the category has Sysmon's.
        ("windows/*/security", "[0x1] #"),
        ("windows/*/*", "[0x1] #"),
        ("windows/process_creation/*", r"[0x2] [C:\a.exe]"),
        ("*/process_creation/*", r"[0x2] [C:\a.exe]"),
    ] {
        assert_eq!(found(stream, &["ProcessId", "Image"], &created), [expected], "{stream}");
    }
    assert!(found("windows/process_creation/sysmon", &["Image"], &created).is_empty());
    assert!(found("windows/process_termination/*", &["Image"], &created).is_empty());
}

#[test]
fn fields_are_found_wherever_shippers_put_them() {
    let shapes = [
        json!({"Channel": SYSMON, "EventID": 3, "Provider_Name": "P", "Image": "i", "DestinationIp": "1.1.1.1"}),
        json!({"Event": {"System": {"Channel": SYSMON, "EventID": {"#text": 3, "#attributes": {"Qualifiers": ""}}, "Provider": {"#attributes": {"Name": "P"}}},
            "EventData": {"Image": "i", "DestinationIp": "1.1.1.1"}}}),
        json!({"winlog": {"channel": SYSMON, "event_id": "3", "provider_name": "P", "event_data": {"RuleName": "-"}},
            "process": {"executable": "i"}, "destination": {"ip": "1.1.1.1"}}),
        json!({"Channel": SYSMON, "EventID": 3, "SourceName": "P", "EventTime": "2020-01-01", "Image": "i", "DestinationIp": "1.1.1.1"}),
    ];
    for shape in shapes {
        let fields = ["EventID", "Provider_Name", "Image", "DestinationIp", "SourceIp"];
        assert_eq!(found("windows/network_connection/*", &fields, &shape), ["[3] [P] [i] [1.1.1.1] #"], "{shape}");
        let mut table = binder(
            built_in(),
            vec![Wanted { stream: "DeviceNetworkEvents".into(), columns: wanted_lists("", &["RemoteIP"]).columns }],
        );
        let _ = table.push(&event(shape));
        assert_eq!(table.take().iter().flat_map(lists).collect::<Vec<_>>(), ["[1.1.1.1]"]);
    }
    for (stream, fields, value, expected) in [
        (
            "windows/*/*",
            ["Name"],
            json!({"Event": {"System": {"Channel": "c"}, "UserData": {"X": {"Name": "n"}}}}),
            "[n]",
        ),
        (
            "windows/*/application",
            ["Data"],
            json!({"Event": {"System": {"Channel": "Application"}, "EventData": {"Data": {"#text": ["a", "b"]}}}}),
            "[a,b]",
        ),
        (
            "windows/*/application",
            ["Data"],
            json!({"Event": {"System": {"Channel": "Application"}, "EventData": {"Data": ["a", "b"]}}}),
            "[a,b]",
        ),
        (
            "windows/*/application",
            ["Data"],
            json!({"winlog": {"channel": "Application", "event_data": {"param1": "a", "param2": "b"}}}),
            "[a,b]",
        ),
        (
            "windows/*/windefend",
            ["ThreatName"],
            json!({"Channel": "Microsoft-Windows-Windows Defender/Operational", "Threat Name": "t"}),
            "[t]",
        ),
        (
            "*/antivirus/*",
            ["Signature"],
            json!({"Channel": "Microsoft-Windows-Windows Defender/Operational", "EventID": 1116, "Threat Name": "t"}),
            "[t]",
        ),
        (
            "aws/*/cloudtrail",
            ["userIdentity/arn"],
            json!({"detail": {"eventVersion": "1", "eventSource": "s", "eventName": "n", "userIdentity": {"arn": "a"}}}),
            "[a]",
        ),
        (
            "okta/*/okta",
            ["target.displayName"],
            json!({"eventType": "e", "published": "p", "actor": {"id": "i"}, "target": [{"displayName": "a"}, {"displayName": null}, {"displayName": ["b", "c"]}]}),
            "[a,b,c]",
        ),
        (
            "gcp/*/gcp.audit",
            ["data.protoPayload.serviceName"],
            json!({"protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "s"}}),
            "[s]",
        ),
        (
            "gcp/*/google_workspace.admin",
            ["setting_name"],
            json!({"id": {"applicationName": "admin"}, "events": [{"name": "e", "parameters": [{"name": "SETTING_NAME", "value": "s"}]}]}),
            "[s]",
        ),
        (
            "azure/*/signinlogs",
            ["ResultType"],
            json!({"category": "SignInLogs", "properties": {"status": {"errorCode": 50126}}}),
            "[50126]",
        ),
        (
            "linux/*/auditd",
            ["type"],
            json!({"SYSCALL": {"syscall": 59}, "EXECVE": {"ARGV": ["ls", "-l"]}, "PATH": [{"name": "/bin/ls"}]}),
            "[SYSCALL,EXECVE,PATH]",
        ),
        (
            "linux/*/auditd",
            ["name"],
            json!({"SYSCALL": {"syscall": 59}, "PATH": [{"name": "a"}, {"name": "b"}]}),
            "[a,b]",
        ),
        ("linux/*/auditd", ["a1"], json!({"EXECVE": {"ARGV": ["ls", "-l"]}}), "[-l]"),
        ("linux/process_creation/*", ["CommandLine"], json!({"EXECVE": {"ARGV": ["ls", "-l"]}}), "[ls -l]"),
        (
            "macos/process_creation/*",
            ["CommandLine"],
            json!({"event": {"exec": {"args": ["sh", "-c"], "target": {"executable": {"path": "/bin/sh"}}}}}),
            "[sh -c]",
        ),
        (
            "macos/file_event/*",
            ["TargetFilename"],
            json!({"event": {"create": {"destination": {"new_path": {"dir": {"path": "/tmp"}, "filename": "f"}}}}}),
            "[/tmp/f]",
        ),
        (
            "kubernetes/application/audit",
            ["hostPath"],
            json!({"auditID": "1", "verb": "create", "requestObject": {"spec": {"volumes": [{"hostPath": {"path": "/"}}, {"name": "x"}]}}}),
            "[/]",
        ),
        ("zeek/*/http", ["c-uri"], json!({"_path": "http", "uri": "/x"}), "[/x]"),
        ("*/proxy/*", ["c-useragent"], json!({"c-uri": "u", "cs(User-Agent)": "curl"}), "[curl]"),
        ("*/*/*", ["a.b"], json!({"sigma": {"service": "mine"}, "a": {"b": 1}}), "[1]"),
    ] {
        assert_eq!(found(stream, &fields, &value), [expected], "{stream} {fields:?} of {value}");
    }
}

#[test]
fn columns_of_lists_hold_all_values_and_the_star_those_of_the_whole_event() {
    let value = json!({"Channel": SYSMON, "EventID": 3, "a": [1, [null, "x"], {"k": true}], "b": null, "c": [], "d": {"e": "f"}});
    let fields = ["a", "b", "c", "d", "d/e", "none", "*"];
    assert_eq!(
        found("windows/*/sysmon", &fields, &value),
        [format!(r#"[1,x,{{"k":true}}] ~ [] [{{"e":"f"}}] [f] # [{SYSMON},3,1,x,true,f]"#)]
    );
}

#[test]
fn streams_that_nothing_fills_are_named() {
    let streams = ["windows/process_creation/*", "windows/proces_creation/*", "DeviceNetworkEvents", "Device", "*/*/*"];
    let binder = binder(built_in(), streams.map(|stream| wanted_lists(stream, &[])).into());
    assert_eq!(binder.unfilled(), ["windows/proces_creation/*".into(), "Device".into()]);
}

#[test]
fn what_events_invent_does_not_grow() {
    let mut binder = binder(built_in(), vec![wanted_lists("*/*/*", &["x"])]);
    let mut rows = 0;
    for number in 0..ROUTES_MAX + 10 {
        let event = event(json!({"sigma": {"product": format!("p{number}")}}));
        if binder.push(&event) == Fill::Full {
            rows += binder.take()[0].batch.rows;
        }
        assert!(binder.routes.destinations().len() <= ROUTES_MAX, "{number}");
    }
    rows += binder.take()[0].batch.rows;
    assert!(binder.counts().streams().len() < 2000, "{}", binder.counts().streams().len());
    assert_eq!(rows, ROUTES_MAX + 10, "all are rows nonetheless");
}

fn shared() -> Option<std::path::PathBuf> {
    std::env::var_os("SANDTRAP_SHARED").map(|shared| std::path::Path::new(&shared).join("corpus/sigma"))
}

struct Rule {
    id: String,
    logsource: String,
    fields: BTreeSet<String>,
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Data::Mapping(entries) = &node.data else { return None };
    entries.iter().find(|(known, _)| known == key).map(|(_, node)| node)
}

fn text(node: Option<&Node>) -> Option<&str> {
    match node.map(|node| &node.data) {
        Some(Data::Scalar(Value::String(text))) => Some(text),
        _ => None,
    }
}

fn add_fields(search: &Node, fields: &mut BTreeSet<String>) {
    match &search.data {
        Data::Mapping(entries) => {
            fields.extend(entries.iter().filter_map(|(key, _)| key.split('|').next()).map(str::to_owned));
        }
        Data::List(items) => items.iter().for_each(|item| add_fields(item, fields)),
        Data::Scalar(_) => {}
    }
}

fn rules(folder: &std::path::Path, rules: &mut Vec<Rule>) {
    for file in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|file| file.path()) {
        if file.is_dir() {
            self::rules(&file, rules);
        } else if file.extension().is_some_and(|extension| extension == "yml") {
            let source = std::fs::read_to_string(&file).unwrap_or_default();
            let Ok(rule) = yaml::parse(&source) else { continue };
            let (Some(source), Some(detection)) = (entry(&rule, "logsource"), entry(&rule, "detection")) else {
                continue;
            };
            let part = |key| text(entry(source, key));
            let mut fields = BTreeSet::new();
            if let Data::Mapping(searches) = &detection.data {
                for (_, search) in searches {
                    add_fields(search, &mut fields);
                }
            }
            rules.push(Rule {
                id: text(entry(&rule, "id")).unwrap_or_default().to_owned(),
                logsource: Logsource::new(part("product"), part("category"), part("service")).to_string(),
                fields,
            });
        }
    }
}

fn all_rules(shared: &std::path::Path) -> Vec<Rule> {
    let mut found = Vec::new();
    for folder in ["rules", "rules-compliance", "rules-dfir", "rules-emerging-threats", "rules-threat-hunting"] {
        rules(&shared.join(folder), &mut found);
    }
    found
}

/// With the shared corpus: every logsource of the public rules is filled by a mapping.
#[test]
fn every_logsource_of_sigmahq_is_filled() {
    let Some(shared) = shared() else { return };
    let mut logsources: BTreeMap<String, u64> = BTreeMap::new();
    for rule in all_rules(&shared) {
        *logsources.entry(rule.logsource).or_default() += 1;
    }
    let map = built_in();
    let unfilled: Vec<_> = logsources.iter().filter(|(logsource, _)| !map.fills(logsource)).collect();
    println!("{} logsources, not filled: {unfilled:?}", logsources.len());
    assert_eq!(logsources.len(), 138);
    assert!(unfilled.is_empty(), "{unfilled:?}");
}

/// With the shared corpus: the event logs from which the regression events were made reach their rules just so.
#[test]
fn the_regression_logs_reach_their_rules() {
    let Some(shared) = shared() else { return };
    let rules: BTreeMap<String, Rule> = all_rules(&shared).into_iter().map(|rule| (rule.id.clone(), rule)).collect();
    let file = std::fs::read(shared.join("regression_events.ndjson")).unwrap_or_default();
    let mut logs = BTreeSet::new();
    for case in Reader::new("regression", &file[..]).filter_map(Result::ok) {
        let id = case.fields["rule_id"].as_str().unwrap_or_default().to_owned();
        let rule = &rules[&id];
        let has = |field: &&str| case.fields["event"].get(*field).is_some();
        let fields: Vec<&str> = rule.fields.iter().map(String::as_str).filter(has).collect();
        let log = std::fs::File::open(shared.join(format!("regression_evtx/{id}.evtx")));
        let log = log.unwrap_or_else(|error| unreachable!("{id}: {error}"));
        let events = input::open("log", Box::new(std::io::BufReader::new(log)), None);
        let mut binder = binder(built_in(), vec![wanted_lists(&rule.logsource, &fields)]);
        for event in events.unwrap_or_else(|error| unreachable!("{id}: {error}")).filter_map(Result::ok) {
            let _ = binder.push(&event);
        }
        let rows: Vec<String> = binder.take().iter().flat_map(lists).collect();
        let complete = |row: &String| !row.split(' ').any(|cell| cell == "#");
        assert!(rows.iter().any(complete), "{id} {} {fields:?}: {rows:?}", rule.logsource);
        logs.insert(id);
    }
    assert_eq!(logs.len(), 98);
}

/// With the shared corpus: the regression events reach their rules with every field that they have.
#[test]
fn the_regression_events_reach_their_rules() {
    let Some(shared) = shared() else { return };
    let rules: BTreeMap<String, Rule> = all_rules(&shared).into_iter().map(|rule| (rule.id.clone(), rule)).collect();
    let file = std::fs::read(shared.join("regression_events.ndjson")).unwrap_or_default();
    let mut cases = BTreeSet::new();
    for case in Reader::new("regression", &file[..]).filter_map(Result::ok) {
        let id = case.fields["rule_id"].as_str().unwrap_or_default().to_owned();
        let rule = rules.get(&id).unwrap_or_else(|| unreachable!("rule {id} is in the corpus"));
        let fields: Vec<&str> = rule.fields.iter().map(String::as_str).collect();
        let rows = found(&rule.logsource, &fields, &case.fields["event"]);
        assert_eq!(rows.len(), 1, "{id} {}", rule.logsource);
        for field in &fields {
            let has = case.fields["event"].get(*field).is_some();
            let cells = found(&rule.logsource, &[*field], &case.fields["event"]);
            assert_eq!(cells[0] != "#", has, "{id}: {field}");
        }
        cases.insert(id);
    }
    assert_eq!(cases.len(), 98);
}
