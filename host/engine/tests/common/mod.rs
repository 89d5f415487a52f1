//! Builds components from WebAssembly text, so that the engine's tests need no compiler and can be as dishonest as
//! they like.
//!
//! Memory of a guest: 8 what `describe` returns, 64 what `evaluate` returns, 256 the crafted answer, 4096 the manifest,
//! then the heap.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::cast_possible_truncation, reason = "sizes of test data")]

use std::{fmt::Write as _, sync::Arc};

use sandtrap_wit::{
    DETECTION_WIT, MANIFEST_SECTION, WORLD,
    batch::{Column, Values},
};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where `evaluate` leaves its `matches`: two lists, 16 bytes.
pub(crate) const RESULT: u32 = 64;
/// Where crafted answers lie.
pub(crate) const ANSWER: u32 = 256;
const MANIFEST: u32 = 4096;

/// A detection over one column `A: long` that computes one column of the given type.
pub(crate) fn manifest(id: &str, computed: &str) -> String {
    format!(
        r#"{{"schema": 1, "namespace": "test", "id": "{id}", "title": "A test", "plan": {{"nodes": [
            {{"source": {{"rows": {{"stream": "S"}}, "columns": [{{"field": ["A"], "type": "long"}}]}}}},
            {{"kernel": {{"input": 0, "kernel": 0, "reads": [0], "outputs": [
                {{"name": "B", "type": "{computed}", "from": {{"computed": 0}}}}]}}}}]}}}}"#
    )
}

/// A guest to be built.
pub(crate) struct Guest {
    pub(crate) manifest: Vec<u8>,
    /// The start of the module: more functions, a start function, imports.
    pub(crate) preamble: String,
    /// Pages of memory at the start, beyond those that the manifest needs.
    pub(crate) pages: u32,
    /// The body of `describe`.
    pub(crate) describe: String,
    /// The body of `evaluate`; its parameters are `$kernel $rows $now $columns $len`.
    pub(crate) evaluate: String,
    /// The bytes at [`ANSWER`].
    pub(crate) answer: Vec<u8>,
    pub(crate) wit: String,
}

impl Guest {
    /// Picks the rows whose integer is not 0 and computes twice the integer.
    pub(crate) fn honest(id: &str) -> Self {
        Self {
            manifest: manifest(id, "long").into_bytes(),
            preamble: String::new(),
            pages: 1,
            describe: "(i32.const 8)".into(),
            evaluate: HONEST.into(),
            answer: Vec::new(),
            wit: DETECTION_WIT.into(),
        }
    }

    /// Runs this in place of the honest `evaluate`.
    pub(crate) fn evaluating(id: &str, body: &str) -> Self {
        Self { evaluate: body.into(), ..Self::honest(id) }
    }

    /// Answers this, whatever it is asked; its one computed column is of that type.
    pub(crate) fn answering(id: &str, computed: &str, answer: &Answer) -> Self {
        Self {
            manifest: manifest(id, computed).into_bytes(),
            evaluate: answer.result(),
            answer: answer.bytes.clone(),
            ..Self::honest(id)
        }
    }

    /// The core module.
    pub(crate) fn module(&self) -> Vec<u8> {
        let heap = (MANIFEST + self.manifest.len() as u32).next_multiple_of(16);
        let text = format!(
            r#"(module
                {preamble}
                (memory (export "memory") {pages})
                (global $next (mut i32) (i32.const {heap}))
                (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                                            (i32.sub (i32.const 0) (local.get 2))))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
                        (then (drop (memory.grow (i32.shr_u (i32.add (local.get 3) (i32.const 65536)) (i32.const 16))))))
                    (local.get $at))
                (func (export "sandtrap:detection/detection@0.1.0#describe") (result i32) {describe})
                (func (export "sandtrap:detection/detection@0.1.0#evaluate")
                    (param $kernel i32) (param $rows i32) (param $now i64) (param $columns i32) (param $len i32)
                    (result i32)
                    {evaluate})
                (func (export "cabi_post_sandtrap:detection/detection@0.1.0#evaluate") (param i32)
                    (memory.fill (i32.const {RESULT}) (i32.const 0xee) (i32.const 16))
                    (global.set $next (i32.const {heap})))
                (data (i32.const 8) "{described}")
                (data (i32.const {ANSWER}) "{answer}")
                (data (i32.const {MANIFEST}) "{manifest}"))"#,
            preamble = self.preamble,
            pages = self.pages + heap.div_ceil(65_536),
            describe = self.describe,
            evaluate = self.evaluate,
            described = escaped(&words(&[MANIFEST, self.manifest.len() as u32])),
            answer = escaped(&self.answer),
            manifest = escaped(&self.manifest),
        );
        wat::parse_str(text).expect("the guest's text is well-formed")
    }

    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = self.module();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("detection.wit", &self.wit).expect("the WIT parses");
        let world = resolve.select_world(&[package], Some(WORLD)).expect("the world is there");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
        let mut encoder = ComponentEncoder::default().validate(true).module(&module).expect("a module");
        encoder.encode().expect("the guest fits its world")
    }
}

const HONEST: &str = r"
    (local $i i32) (local $n i32) (local $found i32) (local $doubled i32) (local $value i64)
    (local.set $found (call $realloc (i32.const 0) (i32.const 0) (i32.const 4) (i32.shl (local.get $rows) (i32.const 2))))
    (local.set $doubled (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.shl (local.get $rows) (i32.const 3))))
    (block $done (loop $next_row
        (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
        (local.set $value (i64.load
            (i32.add (i32.load offset=40 (local.get $columns)) (i32.shl (local.get $i) (i32.const 3)))))
        (if (i64.ne (local.get $value) (i64.const 0)) (then
            (i32.store (i32.add (local.get $found) (i32.shl (local.get $n) (i32.const 2))) (local.get $i))
            (i64.store (i32.add (local.get $doubled) (i32.shl (local.get $n) (i32.const 3)))
                (i64.shl (local.get $value) (i64.const 1)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next_row)))
    (i32.store (i32.const 64) (local.get $found))
    (i32.store (i32.const 68) (local.get $n))
    (i32.store (i32.const 72) (i32.const 256))
    (i32.store (i32.const 76) (i32.const 1))
    (memory.fill (i32.const 256) (i32.const 0) (i32.const 56))
    (i32.store8 (i32.const 292) (i32.const 1))
    (i32.store (i32.const 296) (local.get $doubled))
    (i32.store (i32.const 300) (local.get $n))
    (i32.const 64)";

/// A crafted answer, laid out as the canonical ABI has it.
#[derive(Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    rows: (u32, u32),
    columns: (u32, u32),
}

/// The `values` of a crafted column, as untrue as one likes.
pub(crate) enum Cells<'a> {
    Text(&'a [u32], &'a [u8]),
    Integers(&'a [i64]),
    Reals(&'a [f64]),
    Booleans(&'a [u8]),
    /// This discriminant, over nothing.
    Unknown(u8),
    /// Integers at this address, so many.
    At(u32, u32),
}

impl Answer {
    pub(crate) fn rows(rows: &[u32]) -> Self {
        let mut answer = Self::default();
        answer.rows = answer.put(&words(rows), rows.len());
        answer
    }

    /// Claims a list of rows that is not there.
    pub(crate) fn claimed_rows(address: u32, len: u32) -> Self {
        Self { rows: (address, len), ..Self::default() }
    }

    pub(crate) fn column(self, cells: &Cells<'_>) -> Self {
        self.column_with(cells, [None, None], None)
    }

    /// A column with these bitmaps (validity, absent) and list offsets.
    pub(crate) fn column_with(mut self, cells: &Cells<'_>, bitmaps: [Option<&[u8]>; 2], lists: Option<&[u32]>) -> Self {
        let mut record = Vec::new();
        for bitmap in bitmaps {
            record.extend(self.option(bitmap.map(|bytes| (bytes.to_vec(), bytes.len()))));
        }
        record.extend(self.option(lists.map(|offsets| (words(offsets), offsets.len()))));
        let (case, payload) = match cells {
            Cells::Text(offsets, bytes) => {
                let (offsets, bytes) = (self.put(&words(offsets), offsets.len()), self.put(bytes, bytes.len()));
                (0, vec![offsets, bytes])
            }
            Cells::Integers(values) => {
                (1, vec![self.put(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(), values.len())])
            }
            Cells::Reals(values) => {
                (2, vec![self.put(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(), values.len())])
            }
            Cells::Booleans(bytes) => (3, vec![self.put(bytes, bytes.len())]),
            Cells::Unknown(case) => (*case, Vec::new()),
            Cells::At(address, len) => (1, vec![(*address, *len)]),
        };
        record.extend(words(&[u32::from(case)]));
        record.extend(payload.iter().flat_map(|(address, len)| words(&[*address, *len])));
        record.resize(56, 0);
        self.columns = self.put(&record, 1);
        self
    }

    fn option(&mut self, list: Option<(Vec<u8>, usize)>) -> Vec<u8> {
        let Some((bytes, len)) = list else { return vec![0; 12] };
        let (address, len) = self.put(&bytes, len);
        words(&[1, address, len])
    }

    fn put(&mut self, bytes: &[u8], len: usize) -> (u32, u32) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = ANSWER + self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        assert!(self.bytes.len() < (MANIFEST - ANSWER) as usize, "the crafted answer is too long for its place");
        (address, len as u32)
    }

    /// The body of an `evaluate` that gives this answer.
    fn result(&self) -> String {
        let words = [self.rows.0, self.rows.1, self.columns.0, self.columns.1];
        let mut body = String::new();
        for (index, word) in words.into_iter().enumerate() {
            let _ = writeln!(body, "(i32.store (i32.const {}) (i32.const {word}))", RESULT + 4 * index as u32);
        }
        body + "(i32.const 64)"
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}

/// The component with another custom section for its manifest.
pub(crate) fn with_section(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() };
    section.append_to_component(&mut bytes);
    bytes
}

/// A column of integers.
pub(crate) fn column(cells: &[i64]) -> Arc<Column> {
    Arc::new(Column::new(Values::Integers(cells.to_vec()), None, None).expect("a column"))
}
