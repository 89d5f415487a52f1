//! The committed component: it is the file that its record describes, imports nothing (Invariant 1), and is built from
//! the source beside it: in the engine it says and finds what the source does natively.

use std::{fmt::Write as _, path::Path, sync::Arc};

use sandtrap_engine::{Engine, Instance, Limits};
use sandtrap_example_dga_entropy::DgaEntropy;
use sandtrap_sdk::{Column, Detection as _, testing::Sample};
use sandtrap_wit::{
    LogicalType,
    batch::{Cell, ColumnBuilder},
};
use sha2::{Digest as _, Sha256};
use wasmparser::{Parser, Payload};

/// The largest that a component built with the SDK should be.
const COMPONENT_BYTES_MAX: usize = 150 * 1024;

fn component() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../rules/remote-access/dga_entropy.wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask examples`", path.display()))
}

#[test]
fn invariant_1_neither_the_component_nor_the_module_in_it_imports_anything() {
    let component = component();
    let (mut depth, mut modules) = (0_u32, 0);
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("the component is well formed") {
            // A component inside, which gives the exports their types, imports those from the one around it.
            Payload::ComponentImportSection(imports) if depth == 0 => {
                assert_eq!(imports.count(), 0, "imports of the component");
            }
            Payload::ImportSection(imports) => assert_eq!(imports.count(), 0, "imports of the core module"),
            Payload::ModuleSection { .. } => (depth, modules) = (depth + 1, modules + 1),
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    assert_eq!(modules, 1, "one core module, which the sections above belong to");
}

#[test]
fn the_component_is_small_and_what_its_record_says() {
    let component = component();
    assert!(component.len() <= COMPONENT_BYTES_MAX, "{} bytes", component.len());
    let record: serde_json::Value =
        serde_json::from_str(include_str!("../component.json")).expect("the record is JSON");
    let digest = Sha256::digest(&component).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string can be written to");
        hex
    });
    assert_eq!(record["sha256"], digest, "run `cargo xtask examples` and commit both files");
}

#[test]
fn the_component_says_and_finds_what_its_source_does() {
    let engine = Engine::new(Limits::default()).expect("an engine starts");
    let detection = engine.load(&component()).expect("the engine accepts the component");
    assert_eq!(detection.manifest(), &DgaEntropy::manifest(), "run `cargo xtask examples`");

    let remote_url: Column<String> = Column::new("RemoteUrl");
    let urls = ["example.org", "xjw3kq9vbz7t.com", "", "https://u@a.9f3e7c1b5d2a.co.uk:1/", "10.0.0.1", "k\u{e4}se.de"];
    let mut column = ColumnBuilder::of(LogicalType::String);
    for cell in urls.iter().map(|url| Cell::Text(url)).chain([Cell::Absent]) {
        assert!(column.push(cell), "a text or nothing fits a column of text");
    }
    let rows = u32::try_from(column.len()).expect("a few rows");

    let matches = Instance::new(&detection).evaluate(0, 0, rows, &[Arc::new(column.finish())]);
    let matches = matches.expect("the batch is what the manifest asks for");
    let in_engine = matches.rows.iter().enumerate().map(|(at, row)| {
        let cells = [0, 1].map(|computed: usize| format!("{:?}", matches.columns[computed].cell(at)));
        (*row as usize, cells)
    });
    let native = urls.iter().enumerate().filter_map(|(row, url)| {
        let found = Sample::new().with(&remote_url, url).find::<DgaEntropy>().expect("the row fits");
        found.map(|(domain, entropy)| (row, [Cell::Text(&domain), Cell::Real(entropy)].map(|cell| format!("{cell:?}"))))
    });
    let native: Vec<_> = native.collect();
    assert_eq!(in_engine.collect::<Vec<_>>(), native);
    assert_eq!(native.len(), 2, "some are found, some are not");
}
