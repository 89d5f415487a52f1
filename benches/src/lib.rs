//! What the benchmarks share: the shipped rules, the events, and synthetic rows.
//!
//! Synthetic rows depend on nothing but their number, so that two runs measure the same work. No row matches: what is
//! measured is the ordinary case, where every value is looked at and nothing comes of it. [`stages`] has real rows.
//! Nothing is measured here.

#![allow(clippy::missing_panics_doc, reason = "a benchmark that cannot be set up has nothing better to do")]

pub mod stages;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use criterion::Criterion;
use sandtrap_embed::{
    Detection, Engine, EngineLimits,
    compiler::{Compilation, Options, compile},
    formats::convert::parse_datetime,
    wit::{
        LogicalType,
        batch::{Cell, Column, ColumnBuilder},
        plan::{Node, SourceColumn},
    },
};

/// The seeds' detections, by the names of their files.
pub const SEEDS: [&str; 4] =
    ["kvm_hardware_network", "rmm_level_network", "rmm_rport_network", "rmm_servereye_network"];

/// A hunt that is nothing but a text scan: fifteen terms in one long column.
pub const SCAN: &str = "DeviceProcessEvents
| where ProcessCommandLine has_any ('mimikatz', 'sekurlsa', 'lsadump', 'procdump', 'rubeus', 'kerberoast', 'bloodhound',
    'sharphound', 'psexec', 'wmiexec', 'secretsdump', 'ntdsutil', 'vssadmin', 'bcdedit', 'wevtutil')
| project Timestamp, DeviceName, ProcessCommandLine";

/// Ticks of 100 ns of an arbitrary instant that every benchmark takes for now.
pub fn now() -> i64 {
    parse_datetime("2024-05-01T12:00:00Z").expect("a datetime")
}

/// Criterion with short measurements, which the command line may lengthen.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30)
        .configure_from_args()
}

/// The shipped rules.
pub fn rules_folder() -> PathBuf {
    workspace().join("rules")
}

/// The file of one of the [`SEEDS`].
pub fn seed_file(name: &str) -> PathBuf {
    rules_folder().join("remote-access").join(name).with_extension("yaml")
}

/// The name and text of the file of one of the [`SEEDS`].
pub fn seed(name: &str) -> (String, String) {
    let file = seed_file(name);
    let text = fs::read_to_string(&file).expect("the shipped rule is there");
    (file.to_string_lossy().into_owned(), text)
}

/// The component of a rule.
pub fn component(file: &str, text: &str) -> Vec<u8> {
    let mut compilations = compile(file, text, &Options::default());
    let Some(Compilation { component: Some(component), .. }) = compilations.pop() else {
        panic!("{file} does not compile: {compilations:?}");
    };
    component
}

/// An engine with the default limits.
pub fn engine() -> Engine {
    Engine::new(EngineLimits::default()).expect("the engine starts")
}

/// Events in a file of their own, and how many there are.
pub fn events(folder: &Path) -> (PathBuf, u64) {
    let text = events_text();
    let file = folder.join("events.ndjson");
    fs::write(&file, &text).expect("the temporary folder can be written to");
    (file, lines(&text).len() as u64)
}

/// Events as NDJSON: windows-10k where `SANDTRAP_SHARED` says where to find it, else the shipped sample, repeated.
pub fn events_text() -> Vec<u8> {
    match env::var_os("SANDTRAP_SHARED") {
        Some(shared) => unpacked(&Path::new(&shared).join("events/windows-10k.ndjson.zst")),
        None => fs::read(workspace().join("samples/remote-access.ndjson")).expect("the sample is there").repeat(100),
    }
}

/// The lines of a text that are not empty.
pub fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect()
}

fn unpacked(file: &Path) -> Vec<u8> {
    let output = Command::new("zstd").arg("-dc").arg(file).output().expect("the command `zstd` is installed");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The columns that a detection's first kernel reads, with `rows` synthetic rows.
pub fn columns(detection: &Detection, rows: u32) -> Vec<Arc<Column>> {
    let nodes = &detection.manifest().plan.nodes;
    let (Some(Node::Source(source)), Some(Node::Kernel(kernel))) = (nodes.first(), nodes.get(1)) else {
        panic!("{} does not start with a source and a kernel", detection.full_id());
    };
    kernel.reads.iter().map(|read| Arc::new(column(&source.columns[*read as usize], rows))).collect()
}

fn column(wanted: &SourceColumn, rows: u32) -> Column {
    let mut builder = ColumnBuilder::of(wanted.ty);
    let name = wanted.field.first().map_or("", String::as_str);
    for row in 0..rows {
        let fits = match wanted.ty {
            LogicalType::Datetime => builder.push(Cell::Integer(now() - i64::from(row))),
            LogicalType::Int | LogicalType::Long => builder.push(Cell::Integer(443)),
            _ => builder.push(Cell::Text(&text(name, row))),
        };
        assert!(fits, "{name} has a type that the synthetic rows do not know");
    }
    builder.finish()
}

/// Values as long as those of real events, none of which a shipped detection looks for.
fn text(column: &str, row: u32) -> String {
    match column {
        "RemoteUrl" => format!("https://cdn-{}.updates.example.net/packages/{row}/index.json", row % 97),
        "LocalIP" => format!("192.168.{}.{}", row % 256, row % 199),
        "InitiatingProcessVersionInfoCompanyName" => "Microsoft Corporation".into(),
        "InitiatingProcessVersionInfoProductName" => "Microsoft\u{ae} Windows\u{ae} Operating System".into(),
        "InitiatingProcessFileName" => "svchost.exe".into(),
        "ProcessCommandLine" => format!(
            r#""C:\Program Files\Contoso\Agent\agent.exe" --profile default --log C:\ProgramData\Contoso\{row}.log"#
        ),
        _ => format!("value-{row}"),
    }
}

/// How many bytes of text these columns hold.
pub fn text_bytes(columns: &[Arc<Column>]) -> u64 {
    use sandtrap_embed::wit::batch::Values;
    let bytes = |column: &Arc<Column>| match column.values() {
        Values::Text { text, .. } => text.len() as u64,
        _ => 0,
    };
    columns.iter().map(bytes).sum()
}
