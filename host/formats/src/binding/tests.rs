//! Real events through the built-in map, and odd ones through small maps.

use std::fmt::Write as _;

use sandtrap_wit::{LogicalType, batch::Cell, plan::SourceColumn};
use serde_json::json;

use super::*;
use crate::{binding::UNROUTED_KINDS_MAX, ndjson::Reader, verdict::cell_to_text};

const EVENTS: &[u8] = include_bytes!("../../tests/data/windows.ndjson");

fn column(field: &str, ty: LogicalType) -> SourceColumn {
    SourceColumn { field: field.split('/').map(str::to_owned).collect(), ty, list: false }
}

pub(super) fn wanted(stream: &str, columns: &[(&str, LogicalType)]) -> Wanted {
    Wanted { stream: stream.into(), columns: columns.iter().map(|(field, ty)| column(field, *ty)).collect() }
}

pub(super) fn binder(map: StreamMap, wanted: Vec<Wanted>) -> Binder {
    Binder::new(Arc::new(map), wanted, NonZeroUsize::MAX)
}

pub(super) fn built_in() -> StreamMap {
    StreamMap::built_in().unwrap_or_else(|error| unreachable!("{error}"))
}

pub(super) fn event(value: Value) -> Event {
    let Value::Object(fields) = value else { unreachable!("tests write objects") };
    Event { fields, position: Position { source: "test".into(), line: 1, record: None, offset: 0 } }
}

/// One line for each row: the event's line, then the cells; `~` for null and `#` for absent.
fn rows(binder: &mut Binder) -> Vec<String> {
    let mut rows = Vec::new();
    for wanted in
        binder.wanted.iter().map(|wanted| wanted.columns.clone()).collect::<Vec<_>>().iter().zip(binder.take())
    {
        let (columns, StreamBatch { batch, events, .. }) = wanted;
        for (row, event) in events.iter().enumerate() {
            let mut text = event.position.line.to_string();
            for (column, wanted) in batch.columns.iter().zip(columns) {
                let cell = column.cell(row);
                let shown = match cell {
                    Cell::Absent => "#".into(),
                    Cell::Null => "~".into(),
                    cell => cell_to_text(wanted.ty, cell),
                };
                let _ = write!(text, "|{shown}");
            }
            rows.push(text);
        }
    }
    rows
}

fn real_events(stream: &str, columns: &[(&str, LogicalType)]) -> Vec<String> {
    let mut binder = binder(built_in(), vec![wanted(stream, columns)]);
    for event in Reader::new("windows.ndjson", EVENTS) {
        assert!(event.is_ok_and(|event| binder.push(&event) == Fill::Room));
    }
    assert_eq!(binder.unconverted(), [], "real values all convert");
    rows(&mut binder)
}

use LogicalType::{Bool, Datetime, Dynamic, Int, Long, String as Text};

#[test]
fn sysmon_connections_are_network_events_seen_from_the_device() {
    let columns = [
        ("Timestamp", Datetime),
        ("ActionType", Text),
        ("Protocol", Text),
        ("LocalIP", Text),
        ("LocalPort", Int),
        ("RemoteIP", Text),
        ("RemotePort", Int),
        ("RemoteUrl", Text),
        ("InitiatingProcessFileName", Text),
        ("InitiatingProcessAccountName", Text),
        ("InitiatingProcessVersionInfoCompanyName", Text),
        ("ReportId", Long),
    ];
    assert_eq!(
        real_events("DeviceNetworkEvents", &columns),
        [
            "2|2023-07-18T18:01:54.6330000Z|ConnectionSuccess|Udp|192.168.1.4|50953|192.112.36.4|53|#|dns.exe|SYSTEM|#|#",
            "3|2019-12-05T01:49:49.3710000Z|InboundConnectionAccepted|Tcp|172.18.39.5|389|172.18.39.105|50637\
             |ip-172-18-39-105.ec2.internal|lsass.exe|SYSTEM|#|94847",
            "4|2020-10-22T05:54:24.2570000Z|DnsQueryResponse|#|#|#|#|#|segments-s.msedge.net|MsMpEng.exe|#|#|#",
        ]
    );
}

#[test]
fn sysmon_1_and_security_4688_are_process_events() {
    let columns = [
        ("ActionType", Text),
        ("FileName", Text),
        ("FolderPath", Text),
        ("ProcessId", Long),
        ("AccountDomain", Text),
        ("AccountName", Text),
        ("InitiatingProcessFileName", Text),
        ("InitiatingProcessId", Long),
        ("ProcessIntegrityLevel", Text),
        ("ProcessVersionInfoCompanyName", Text),
        ("MD5", Text),
        ("LogonId", Long),
    ];
    assert_eq!(
        real_events("DeviceProcessEvents", &columns),
        [
            r"1|ProcessCreated|svchost.exe|C:\Windows\System32\svchost.exe|2420|NT AUTHORITY|SYSTEM|services.exe|576|System|Microsoft Corporation|9520A99E77D6196D0D09833146424113|999",
            r"6|ProcessCreated|WmiPrvSE.exe|C:\Windows\System32\wbem\WmiPrvSE.exe|4724|NT AUTHORITY|LOCAL SERVICE|svchost.exe|788|System|#|#|997",
        ]
    );
}

#[test]
fn sysmon_11_is_a_file_event() {
    let columns = [("ActionType", Text), ("FileName", Text), ("DeviceName", Text), ("InitiatingProcessFileName", Text)];
    assert_eq!(real_events("DeviceFileEvents", &columns), ["5|FileCreated|WebCache|DC01.pandalab.com|taskhostw.exe"]);
}

#[test]
fn security_events_keep_their_names_whether_raw_or_exported() {
    let columns = [
        ("TimeGenerated", Datetime),
        ("EventID", Int),
        ("Computer", Text),
        ("Account", Text),
        ("Process", Text),
        ("LogonType", Int),
    ];
    assert_eq!(
        real_events("SecurityEvent", &columns),
        [
            r"6|2023-07-19T12:21:14.4740000Z|4688|DC01.pandalab.com|PANDALAB\DC01$|WmiPrvSE.exe|#",
            r"7|2020-10-12T22:34:20.7070000Z|4624|MORDORDC.theshire.local|THESHIRE.LOCAL\MORDORDC$|-|3",
            r"8|2023-07-19T12:20:12.3320000Z|5379|DC01.pandalab.com|PANDALAB\Administrator|#|#",
            r"9|2022-05-13T08:54:09.1770000Z|4663|WORKSTATION5|NT AUTHORITY\LOCAL SERVICE|powershell.exe|#",
        ]
    );
}

#[test]
fn an_event_knows_all_its_streams_and_one_without_is_counted() {
    let mut binder = binder(built_in(), vec![wanted("SecurityEvent", &[]), wanted("DeviceProcessEvents", &[])]);
    for event in Reader::new("windows.ndjson", EVENTS).filter_map(Result::ok) {
        assert_eq!(binder.push(&event), Fill::Room);
    }
    assert_eq!(binder.push(&event(json!({"EventID": 2003}))), Fill::Room);
    let batches = binder.take();
    let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
    let process: Vec<_> = batches[0].events.iter().map(|event| (event.ordinal, event.streams.to_vec())).collect();
    assert_eq!(process[0], (5, names(&["DeviceProcessEvents", "SecurityEvent", "windows/process_creation/security"])));
    assert_eq!(process[1], (6, names(&["SecurityEvent", "windows/*/security"])));
    assert_eq!(batches[1].events.len(), 2);
    assert_eq!(binder.counts().events(), 11);
    let kind = EventKind { event_id: "2003".into(), ..EventKind::default() };
    assert_eq!(binder.counts().unrouted_kinds(), [(&kind, 1)]);
    assert!(binder.take().iter().all(|batch| batch.batch.rows == 0), "a round is taken once");
}

#[test]
fn shippers_put_the_same_fields_in_other_places() {
    for shipped in [
        json!({"Channel": "SECURITY", "EventID": "4688", "NewProcessName": r"C:\a.exe", "Computer": "pc"}),
        json!({"Event": {"System": {"Channel": "Security", "Computer": "pc", "EventID": {"#text": 4688}},
            "EventData": {"NewProcessName": r"C:\a.exe"}}}),
        json!({"winlog": {"channel": "Security", "event_id": "4688", "computer_name": "pc", "event_data": {"NewProcessName": r"C:\a.exe"}}}),
        json!({"winlog.channel": "security", "winlog.event_id": 4688, "winlog.computer_name": "pc", "winlog.event_data.NewProcessName": r"C:\a.exe"}),
    ] {
        let columns = wanted("DeviceProcessEvents", &[("FileName", Text), ("DeviceName", Text)]);
        let own = wanted("SecurityEvent", &[("EventID", Int), ("NewProcessName", Text)]);
        let mut binder = binder(built_in(), vec![columns, own]);
        assert_eq!(binder.push(&event(shipped.clone())), Fill::Room);
        assert_eq!(rows(&mut binder), ["1|a.exe|pc", r"1|4688|C:\a.exe"], "{shipped}");
    }
}

#[test]
fn rows_of_a_table_keep_their_columns() {
    let columns = [
        ("Timestamp", Datetime),
        ("RemotePort", Int),
        ("RemoteUrl", Text),
        ("AdditionalFields", Dynamic),
        ("IsX", Bool),
    ];
    let shapes = [
        json!({"Type": "DeviceNetworkEvents", "TimeGenerated": "2024-01-01T00:00:00Z", "RemotePort": 443,
            "RemoteUrl": null, "AdditionalFields": "{\"a\": [1]}"}),
        json!({"category": "AdvancedHunting-DeviceNetworkEvents", "time": "2024-01-02", "properties":
            {"Timestamp": "2024-01-01T00:00:00Z", "RemotePort": "443", "RemoteUrl": null, "AdditionalFields": {"a": [1]}}}),
    ];
    for shape in shapes {
        let mut binder = binder(built_in(), vec![wanted("DeviceNetworkEvents", &columns)]);
        assert_eq!(binder.push(&event(shape)), Fill::Room);
        assert_eq!(rows(&mut binder), [r#"1|2024-01-01T00:00:00.0000000Z|443|~|{"a":[1]}|#"#]);
    }
    let mut binder = binder(built_in(), vec![wanted("Anything", &[("a/b", Long)])]);
    assert_eq!(binder.push_row("Anything", &event(json!({"a": {"b": 1}, "Timestamp": "1970-01-01"}))), Fill::Room);
    let batches = binder.take();
    assert_eq!(batches[0].batch.columns[0].cell(0), Cell::Integer(1));
    assert_eq!(batches[0].events[0].time, Some(0));
    for not_a_row in [
        json!({"Type": "0"}),
        json!({"category": "AdvancedHunting-DeviceNetworkEvents"}),
        json!({"category": "AdvancedHunting-DeviceNetworkEvents", "properties": "text"}),
    ] {
        assert_eq!(binder.push(&event(not_a_row)), Fill::Room);
    }
    assert_eq!(binder.counts().unrouted(), 3);
}

#[test]
fn values_that_do_not_convert_are_null_and_counted() {
    let mut binder =
        binder(built_in(), vec![wanted("DeviceNetworkEvents", &[("RemotePort", Int), ("RemotePort", Text)])]);
    for port in [json!("https"), json!(70_000_000_000_i64), json!(""), json!("443")] {
        assert_eq!(binder.push(&event(json!({"Type": "DeviceNetworkEvents", "RemotePort": port}))), Fill::Room);
    }
    assert_eq!(rows(&mut binder), ["1|~|https", "1|~|70000000000", "1|~|", "1|443|443"]);
    let unconverted = binder.unconverted();
    assert_eq!(unconverted.len(), 1, "the text column takes them all");
    assert_eq!((unconverted[0].cells, &unconverted[0].column), (2, &column("RemotePort", Int)));
}

#[test]
fn a_round_is_full_by_events_and_by_text() {
    let by_events = NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN);
    let mut small = Binder::new(Arc::new(built_in()), Vec::new(), by_events);
    let fills: Vec<Fill> = (0..4).map(|_| small.push(&event(json!({})))).collect();
    assert_eq!(fills, [Fill::Room, Fill::Full, Fill::Full, Fill::Full]);
    small.take();
    assert_eq!(small.push(&event(json!({}))), Fill::Room);

    let text = "x".repeat(BATCH_TEXT_BYTES_MAX / 6);
    let mut large = binder(built_in(), vec![wanted("AlertInfo", &[("Title", Text)])]);
    let fills: Vec<Fill> = (0..2).map(|_| large.push(&event(json!({"Type": "AlertInfo", "Title": text})))).collect();
    assert_eq!(fills, [Fill::Room, Fill::Full]);
}

#[test]
fn kinds_of_events_without_a_stream_are_bounded() {
    let mut binder = binder(built_in(), Vec::new());
    for id in 0..UNROUTED_KINDS_MAX + 5 {
        assert_eq!(binder.push(&event(json!({"EventID": id}))), Fill::Room);
    }
    assert_eq!(binder.counts().unrouted_kinds().len(), UNROUTED_KINDS_MAX);
    assert_eq!(binder.counts().unrouted(), UNROUTED_KINDS_MAX as u64 + 5);
}

#[test]
fn a_second_file_adds_streams_behind_the_first() {
    let more = "format: 1\nphysical: {Id: [id, n.id]}\nmappings:\n\
                - {name: n, when: {Id: 1}, stream: SecurityEvent, fields: {Computer: {constant: second}}}\n\
                - {name: n, when: {Id: [1, 2]}, stream: Mine, fields: {A: [x, {epoch_seconds: y}]}}\n";
    let mut map = built_in();
    map.extend(StreamMap::parse("more.yaml", more).unwrap_or_else(|error| unreachable!("{error}")));
    let mut binder =
        binder(map, vec![wanted("SecurityEvent", &[("Computer", Text)]), wanted("Mine", &[("A", Datetime)])]);
    for shipped in [
        json!({"Channel": "Security", "Computer": "first", "id": 1, "y": 1}),
        json!({"n": {"id": "1"}, "x": null, "y": 1}),
        json!({"id": 2}),
    ] {
        assert_eq!(binder.push(&event(shipped)), Fill::Room);
    }
    assert_eq!(rows(&mut binder), ["1|first", "1|second", "1|1970-01-01T00:00:01.0000000Z", "1|~", "1|#"]);
}

/// With the shared corpus: every stream gets events, and the counts are printed.
#[test]
fn the_sample_of_ten_thousand_events_is_routed() {
    let Ok(shared) = std::env::var("SANDTRAP_SHARED") else { return };
    let sample = std::path::Path::new(&shared).join("events/windows-10k.ndjson.zst");
    let unpacked = std::process::Command::new("zstdcat").arg(sample).output();
    let unpacked = unpacked.unwrap_or_else(|error| unreachable!("zstdcat is needed: {error}"));
    let columns = [("Timestamp", Datetime), ("InitiatingProcessId", Long)];
    let streams =
        ["DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents"].map(|stream| wanted(stream, &columns));
    let mut binder = binder(built_in(), streams.into());
    let mut reader = Reader::new("windows-10k", &unpacked.stdout[..]);
    for event in reader.by_ref().filter_map(Result::ok) {
        let _ = binder.push(&event);
    }
    for (stream, events) in binder.counts().streams() {
        println!("{events:6} {stream}");
    }
    println!("{:6} no stream", binder.counts().unrouted());
    for (kind, events) in binder.counts().unrouted_kinds().iter().take(10) {
        println!("{events:8} {} {}", kind.channel, kind.event_id);
    }
    println!("not converted: {:?}", binder.unconverted());
    assert_eq!((reader.bad_lines(), binder.counts().events()), (0, 10_000));
    let of =
        |name: &str| binder.counts().streams().iter().find(|(stream, _)| &**stream == name).map(|(_, events)| *events);
    // Sysmon 1 and Security 4688; Sysmon 3 and 22; Sysmon 11.
    assert_eq!(of("DeviceProcessEvents"), Some(24 + 19));
    assert_eq!(of("DeviceNetworkEvents"), Some(68 + 20));
    assert_eq!(of("DeviceFileEvents"), Some(126));
    assert!(binder.take().iter().all(|batch| batch.events.iter().all(|event| event.time.is_some())), "all have a time");
}
