//! The animals. Each is a component, or several of a kind, and the state that it is to end in.

use sandtrap_wit::DETECTION_WIT;

use wasm_encoder::{
    CodeSection, ComponentSection as _, Encode as _, Function, FunctionSection, Instruction, Module, ModuleSection,
    TypeSection, ValType,
};

use crate::guests::{Answer, Cells, Guest, with_section};

/// Some components of a kind.
pub(crate) struct Animal {
    pub(crate) name: &'static str,
    pub(crate) components: Vec<Vec<u8>>,
    pub(crate) ends: Ends,
}

/// How an animal ends.
pub(crate) enum Ends {
    /// It is not loaded; these words say why.
    Refused(&'static [&'static str]),
    /// It is loaded, and some of its events are not evaluated; these words say why.
    Fails(&'static [&'static str]),
    /// It does what the honest one does but for the last event, which is not evaluated; these words say why.
    MissesTheLast(&'static [&'static str]),
    /// It harms nobody.
    Well,
}
use Ends::{Fails, MissesTheLast, Refused, Well};

/// The manifest of a detection that reads ports and computes one column, with something else in its source.
pub(crate) fn manifest(id: &str, computed: &str, source: &str) -> String {
    format!(
        r#"{{"schema": 1, "namespace": "test", "id": "{id}", "title": "{id}", "plan": {{"nodes": [
            {{"source": {{"rows": {{"stream": "DeviceNetworkEvents"}}, {source}
                "columns": [{{"field": ["RemotePort"], "type": "long"}}, {{"field": ["DeviceName"], "type": "string"}}]}}}},
            {{"kernel": {{"input": 0, "kernel": 0, "reads": [0], "outputs": [
                {{"name": "B", "type": "{computed}", "from": {{"computed": 0}}}}]}}}}]}}}}"#
    )
}

/// The honest one, to be changed.
fn guest() -> Guest {
    Guest { manifest: manifest("animal", "long", "").into_bytes(), ..Guest::honest("animal") }
}

/// One with this `evaluate`, and these functions beside it.
fn evaluating(preamble: &str, evaluate: &str) -> Guest {
    Guest { preamble: preamble.into(), evaluate: evaluate.into(), ..guest() }
}

/// What `sandtrap compile` would make of it: it is described by a section, and runs when it has candidates.
fn lazy(guest: &Guest) -> Vec<u8> {
    with_section(&guest.component(), std::str::from_utf8(&guest.manifest).expect("UTF-8"))
}

/// With a prefilter of these atoms, one of which must hold.
fn any_of(atoms: impl Iterator<Item = String>) -> Vec<u8> {
    let prefilter = format!(r#""prefilter": [[{}]],"#, atoms.collect::<Vec<_>>().join(","));
    lazy(&Guest { manifest: manifest("animal", "long", &prefilter).into_bytes(), ..guest() })
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("text")
}

/// A core module in a component that is no detection.
fn module(text: &str) -> Vec<u8> {
    wat(&format!("(component (core module {text}))"))
}

fn one(name: &'static str, component: Vec<u8>, ends: Ends) -> Animal {
    Animal { name, components: vec![component], ends }
}

pub(crate) fn all() -> Vec<Animal> {
    let mut all = no_components();
    all.extend(too_large());
    all.extend(while_described());
    all.extend(while_compiled());
    all.extend(prefilters());
    all.extend(while_evaluating());
    all.extend(answers());
    all
}

fn no_components() -> Vec<Animal> {
    let importing = |import: &str| wat(&format!("(component {import})"));
    let importing_func = Guest {
        wit: DETECTION_WIT.replace("world sandboxed {", "world sandboxed {\n import exfiltrate: func(secret: u32);\n"),
        preamble: r#"(import "$root" "exfiltrate" (func $exfiltrate (param i32)))"#.into(),
        ..guest()
    };
    let imports = vec![
        importing_func.component(),
        importing(r#"(import "wasi:cli/environment@0.2.0" (instance))"#),
        importing(r#"(import "wasi:cli/environment@0.2.0" (func))"#),
        importing(r#"(type $t u32) (import "wasi:cli/environment@0.2.0" (type (eq $t)))"#),
        importing(r#"(import "wasi:io/streams@0.2.0" (type (sub resource)))"#),
        importing(r#"(import "a" (component))"#),
        importing(r#"(import "a" (core module))"#),
    ];
    let honest = lazy(&guest());
    let sections = section_starts(&honest);
    let truncated = sections.iter().flat_map(|start| [*start, start + 1, start + 3]).filter(|end| *end < honest.len());
    let truncated: Vec<Vec<u8>> = truncated.map(|end| honest[..end].to_vec()).collect();
    assert!(truncated.len() > 20, "{} sections", sections.len());
    let other_version = r#"(component (instance $i) (export "sandtrap:detection/detection@0.9.0" (instance $i)))"#;
    let no_functions = r#"(component (instance $i) (export "sandtrap:detection/detection@0.1.0" (instance $i)))"#;
    let shape = Guest { wit: DETECTION_WIT.replace("rows: u32", "rows: s32"), ..guest() };
    vec![
        one("core module", guest().module(), Refused(&["core module"])),
        one("nothing", Vec::new(), Refused(&["not a valid component"])),
        one("text", b"DeviceNetworkEvents | take 1".to_vec(), Refused(&["not a valid component"])),
        Animal { name: "imports of every kind", components: imports, ends: Refused(&["imports"]) },
        Animal { name: "truncated in every section", components: truncated, ends: Refused(&["not a valid component"]) },
        one("another version", wat(other_version), Refused(&["rebuild the detection for that version"])),
        one("no functions", wat(no_functions), Refused(&["has no function describe"])),
        one("functions of another shape", shape.component(), Refused(&["evaluate does not have the type"])),
        one("nested components", wat("(component (component (component)))"), Refused(&["nested deeper"])),
        one(
            "two manifests",
            with_section(&honest, &manifest("other", "long", "")),
            Refused(&["a component has one manifest"]),
        ),
    ]
}

/// Where the sections of the component and of what is in it begin.
fn section_starts(component: &[u8]) -> Vec<usize> {
    let starts = wasmparser::Parser::new(0).parse_all(component).filter_map(|payload| payload.ok()?.as_section());
    starts.map(|(_, range)| range.start).collect()
}

fn too_large() -> Vec<Animal> {
    let many = |what: &str, count: usize| module(&what.repeat(count));
    let data = format!(r#"(memory 100) (data (i32.const 0) "{}")"#, "x".repeat(5 << 20));
    let body = format!("(func (result i32) (i32.const 0) {})", "(i32.const 1) (i32.add) ".repeat(200_000));
    vec![
        one("a million functions", many("(func)", 1_000_000), Refused(&["functions, more than the cap"])),
        one("huge data", module(&data), Refused(&["more than the cap"])),
        one("a long function", module(&body), Refused(&["bytes of one function"])),
        one("a huge table", module("(table 100000000 funcref)"), Refused(&["table elements"])),
        one("all memory at the start", module("(memory 65536)"), Refused(&["bytes of memory at the start"])),
        one("many modules", wat(&format!("(component {})", "(core module)".repeat(1000))), Refused(&["core modules"])),
    ]
}

fn while_described() -> Vec<Animal> {
    let described = |describe: &str| Guest { describe: describe.into(), ..guest() }.component();
    let starting = |body: &str| Guest { preamble: format!("(start $s) (func $s {body})"), ..guest() };
    let endless = "(loop (br 0))";
    let giant = |text: &str| {
        let manifest = manifest("animal", "long", "").replace(r#""title": "animal""#, &format!(r#""title": "{text}""#));
        Guest { manifest: manifest.into_bytes(), ..guest() }.component()
    };
    let broken = Guest { manifest: b"{\"schema\": 1, \"title\": \"\xff\"}".to_vec(), ..guest() };
    let lying = with_section(&guest().component(), &manifest("animal", "long", r#""prefilter": [],"#));
    vec![
        one("an endless start", starting(endless).component(), Refused(&["deadline"])),
        one("an endless start, found late", lazy(&starting(endless)), Fails(&["cannot be run", "deadline"])),
        one(
            "a start that traps, found late",
            lazy(&starting("(unreachable)")),
            Fails(&["cannot be run", "unreachable"]),
        ),
        one("an endless describe", described("(loop (br 0)) (unreachable)"), Refused(&["deadline"])),
        one("describe traps", described("(unreachable)"), Refused(&["unreachable"])),
        one(
            "describe points beyond the memory",
            described("(i32.store (i32.const 8) (i32.const 0x7fffffff)) (i32.const 8)"),
            Refused(&["out of bounds"]),
        ),
        one("a manifest that is no UTF-8", broken.component(), Refused(&["utf-8"])),
        one("a giant title", giant(&"x".repeat(900_000)), Refused(&["title"])),
        one("a giant manifest", giant(&"x".repeat(2 << 20)), Refused(&["more than 1048576 bytes"])),
        one("a manifest that lies", lying, Fails(&["describe does not return what the section"])),
    ]
}

/// Modules that Cranelift would have much to do with, beside an honest one.
fn while_compiled() -> Vec<Animal> {
    let with = |module: &Module| {
        let mut component = guest().component();
        ModuleSection(module).append_to_component(&mut component);
        with_section(&component, &manifest("animal", "long", ""))
    };
    let functions = |results: usize, count: u32, locals: u32, body: &[u8]| {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], std::iter::repeat_n(ValType::I64, results));
        types.ty().function([], []);
        module.section(&types);
        let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
        let mut add = |ty, locals, body: &[u8]| {
            declared.function(ty);
            let mut function = Function::new([(locals, ValType::I64)]);
            function.raw(body.iter().copied());
            function.instruction(&Instruction::End);
            code.function(&function);
        };
        add(0, 0, &[0x00]);
        (0..count).for_each(|_| add(1, locals, body));
        module.section(&declared).section(&code);
        with(&module)
    };
    let nested =
        |open: &[u8], count: usize, inside: &[u8]| [open.repeat(count), inside.to_vec(), vec![0x0b; count]].concat();
    // (br_table 0 0 0 ...) over a constant.
    let branches = |count: u32| {
        let mut body = vec![0x41, 0];
        Instruction::BrTable(vec![0; count as usize].into(), 0).encode(&mut body);
        body
    };
    // As much as one function may have.
    let repeated = |code: &[u8]| code.repeat(130_000 / code.len());
    let kept = [repeated(&[0x42, 1]), vec![0x00]].concat();
    let calls = |count: usize| [[0x10, 0].repeat(count), vec![0x00]].concat();
    let chain = [vec![0x42, 1], repeated(&[0x42, 3, 0x7e, 0x42, 5, 0x7c]), vec![0x1a]].concat();
    // Each local is read within all loops.
    let reads = |loops: usize, locals: u32| {
        let mut inside = Vec::new();
        for local in 0..locals {
            Instruction::LocalGet(local).encode(&mut inside);
            Instruction::LocalSet((local + 1) % locals).encode(&mut inside);
        }
        nested(&[0x03, 0x40], loops, &inside)
    };
    let ifs = [0x41, 0, 0x04, 0x40, 0x05, 0x0b];
    let mut behind = ifs.repeat(2_400);
    for local in 0..5_000 {
        Instruction::LocalGet(local).encode(&mut behind);
        behind.push(0x1a);
    }
    let types: Vec<String> = (0..2000)
        .map(|number| (0..11).map(|bit| if number >> bit & 1 == 1 { " i32" } else { " i64" }).collect::<String>())
        .map(|parameters| format!("(type (func (param{parameters})))"))
        .collect();
    let types = types.concat();
    vec![
        one("locals in every function", functions(0, 7_900, 49_999, &[]), Refused(&["locals"])),
        one("results without end", functions(1000, 1, 0, &calls(100)), Refused(&["results"])),
        one("much code", functions(0, 7_900, 0, &[0x42, 1, 0x1a].repeat(60)), Refused(&["bytes of code"])),
        one("many types", module(&types), Refused(&["function types"])),
        one("many parameters", module(&format!("(func (param{}))", " i64".repeat(1000))), Refused(&["parameters"])),
        one("many globals", module(&"(global i64 (i64.const 1))".repeat(2000)), Refused(&["globals"])),
        one(
            "many elements",
            module(&format!("(func) (elem func{})", " 0".repeat(30_000))),
            Refused(&["table elements"]),
        ),
        one(
            "many segments",
            module(&format!("(memory 1) {}", r#"(data (i32.const 0) "")"#.repeat(2000))),
            Refused(&["segments"]),
        ),
        one("locals read behind branches", functions(0, 1, 5_000, &behind), Refused(&["locals times branches"])),
        one("nested loops", functions(0, 1, 4_000, &reads(2_500, 4_000)), Refused(&["nested loops"])),
        one("loops that read locals", functions(0, 14, 6_000, &reads(64, 6_000)), Well),
        one("too many calls", functions(1, 1, 0, &calls(60_000)), Refused(&["calls in one function"])),
        one("calls", functions(1, 16, 0, &calls(15_900)), Well),
        one("nested blocks", functions(0, 4, 0, &nested(&[0x02, 0x40], 30_000, &[])), Well),
        one("nested conditions", functions(0, 4, 0, &nested(&[0x41, 0, 0x04, 0x40], 25_000, &[])), Well),
        one("conditions", functions(0, 4, 0, &ifs.repeat(15_000)), Well),
        one("wide branches", functions(0, 4, 0, &branches(65_000)), Well),
        one("straight code", functions(0, 4, 0, &repeated(&[0x42, 1, 0x42, 3, 0x7e, 0x1a])), Well),
        one("a chain of operations", functions(0, 4, 0, &chain), Well),
        one("values that are kept", functions(0, 4, 0, &kept), Well),
        one("small functions", functions(0, 7_900, 0, &[0x42, 1, 0x1a].repeat(19)), Well),
        one("functions with locals", functions(0, 7_900, 12, &[0x42, 1, 0x21, 0].repeat(14)), Well),
    ]
}

fn prefilters() -> Vec<Animal> {
    let contains = |text: String| format!(r#"{{"column": 1, "contains": "{text}"}}"#);
    let suffix = |length: usize| format!(r#"{{"column": 1, "suffix": "{}"}}"#, "a".repeat(length));
    let flood = evaluating("", &guest().evaluate);
    let atoms: Vec<String> = (0..1_000_000).map(|n| contains(n.to_string())).collect();
    let a_million = manifest("animal", "long", &format!(r#""prefilter": [[{}]],"#, atoms.join(",")));
    let a_million = with_section(&guest().component(), &a_million);
    vec![
        one("a million atoms", a_million, Refused(&["a rule may have 16 MiB"])),
        one("too many atoms", any_of((0..11_000).map(|n| contains(n.to_string()))), Refused(&["atoms"])),
        one("ten thousand atoms", any_of((0..9_990).map(|n| contains(format!("{n:05} {n}")))), Well),
        one("nested suffixes", any_of((1..1_300).map(suffix)), Well),
        one("nested suffixes of a megabyte", any_of((1..1_500).map(suffix)), Refused(&["bytes of manifest"])),
        one("nothing prunes it", lazy(&flood), Well),
        one("literals that every event has", any_of((0..200).map(|_| contains("o".into()))), Well),
    ]
}

fn while_evaluating() -> Vec<Animal> {
    let deep = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))";
    let fill = "(loop $more (drop (memory.grow (i32.const 16)))
        (memory.fill (i32.shl (i32.sub (memory.size) (i32.const 16)) (i32.const 16)) (i32.const 1) (i32.const 1048576))
        (br $more)) (unreachable)";
    let grow = "(loop (drop (table.grow $t (ref.null func) (i32.const 1000))) (br 0)) (unreachable)";
    let count = "(global.set $n (i32.const 0)) (loop $again (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (global.get $n) (i32.const 100000000))))";
    let once = "(if (i32.eqz (global.get $n)) (then (global.set $n (i32.const 1))) (else (unreachable)))";
    // The last cell of the first column, in the last event.
    let in_the_last = |code: &str| {
        let last = "(i64.load (i32.add (i32.load offset=40 (local.get $columns))
            (i32.shl (i32.sub (local.get $rows) (i32.const 1)) (i32.const 3))))";
        honest_after(&format!("(if (i64.gt_s {last} (i64.const {})) (then {code}))", crate::EVENTS - 1))
    };
    let alone = format!("(if (i32.gt_u (local.get $rows) (i32.const 1)) (then (unreachable))) {count}");
    let endless = "(loop (br 0)) (unreachable)";
    let divide = "(i32.div_u (i32.const 1) (i32.const 0))";
    let cases = [
        ("an endless loop", "", endless.to_owned(), Fails(&["deadline of 500 ms", "is not asked for 1 s"])),
        ("endless recursion", deep, "(call $deep (i32.const 1))".into(), Fails(&["call stack exhausted"])),
        ("memory without end", "", fill.into(), Fails(&["bytes of memory, more than its cap"])),
        ("a table without end", "(table $t 1 funcref)", grow.into(), Fails(&["table elements, more than its cap"])),
        ("a trap", "", "(unreachable)".into(), Fails(&["unreachable", "is not asked for 1 s"])),
        ("a division by zero", "", divide.into(), Fails(&["divide by zero"])),
        ("a wild read", "", "(i32.load (i32.const -8))".into(), Fails(&["out of bounds"])),
        ("slow, but in time", COUNTER, honest_after(count), Well),
        // It is started anew after each trap, and a row that fails is not asked about again.
        ("every second call traps", COUNTER, honest_after(once), Fails(&["unreachable"])),
        ("one event makes it trap", "", in_the_last("(unreachable)"), MissesTheLast(&[": 1 events not evaluated"])),
        ("one event makes it loop", "", in_the_last("(loop (br 0))"), MissesTheLast(&["deadline of 500 ms: 1 events"])),
        (
            "slow alone, and traps together",
            COUNTER,
            honest_after(&alone),
            Fails(&["is not asked for 1 s: it fails again and again, last: its calls"]),
        ),
    ];
    cases.map(|(name, preamble, evaluate, ends)| one(name, lazy(&evaluating(preamble, &evaluate)), ends)).into()
}

/// For code that counts.
const COUNTER: &str = "(global $n (mut i32) (i32.const 0))";

/// The honest `evaluate`, with some code before it looks at its rows.
fn honest_after(code: &str) -> String {
    guest().evaluate.replacen("(block $done", &format!("{code} (block $done"), 1)
}

fn answers() -> Vec<Animal> {
    let answering = |ty: &str, answer: &Answer| {
        lazy(&Guest { manifest: manifest("animal", ty, "").into_bytes(), ..Guest::answering("animal", ty, answer) })
    };
    let rows = |rows: &[u32], cells: &[i64]| answering("long", &Answer::rows(rows).column(&Cells::Integers(cells)));
    let texts =
        |offsets: &[u32], bytes: &[u8]| answering("string", &Answer::rows(&[0]).column(&Cells::Text(offsets, bytes)));
    let mut animals = vec![
        one("a row out of range", rows(&[u32::MAX], &[1]), Fails(&["out of range"])),
        one("descending rows", rows(&[2, 0], &[1, 2]), Fails(&["out of range"])),
        one("the same row twice", rows(&[0, 0], &[1, 2]), Fails(&["ascend"])),
        one(
            "a hundred million rows",
            answering("long", &Answer::claimed_rows(0, 100_000_000)),
            Fails(&["out of bounds"]),
        ),
        one("rows that are not aligned", answering("long", &Answer::claimed_rows(2, 1)), Fails(&["aligned"])),
        one("too few cells", rows(&[0], &[]), Fails(&["0 cells for 1 rows"])),
        one("too many cells", rows(&[0], &[1, 2, 3]), Fails(&["3 cells for 1 rows"])),
        one("no columns", answering("long", &Answer::rows(&[0])), Fails(&["0 computed columns"])),
        one(
            "cells of another type",
            answering("long", &Answer::rows(&[0]).column(&Cells::Reals(&[1.0]))),
            Fails(&["reals where the plan has long"]),
        ),
        one(
            "cells of no type",
            answering("long", &Answer::rows(&[0]).column(&Cells::Unknown(9))),
            Fails(&["discriminant"]),
        ),
        one(
            "cells beyond the memory",
            answering("long", &Answer::rows(&[0]).column(&Cells::At(0, 100_000_000))),
            Fails(&["out of bounds"]),
        ),
        one(
            "a bitmap that is too long",
            answering("long", &Answer::rows(&[0]).column_with(&Cells::Integers(&[1]), [Some(&[1, 1]), None], None)),
            Fails(&["bitmap"]),
        ),
        one(
            "lists where there are none",
            answering("long", &Answer::rows(&[0]).column_with(&Cells::Integers(&[1]), [None, None], Some(&[0, 1]))),
            Fails(&["column of lists"]),
        ),
        one("text that is no UTF-8", texts(&[0, 2], b"a\xff"), Fails(&["UTF-8"])),
        one("text cut within a character", texts(&[0, 1, 2], "é".as_bytes()), Fails(&["malformed answer"])),
        one("descending offsets", texts(&[0, 2, 1], b"ab"), Fails(&["offsets"])),
        one("offsets beyond the text", texts(&[0, 9], b"ab"), Fails(&["offsets"])),
        one("offsets that do not begin at 0", texts(&[1, 2], b"ab"), Fails(&["offsets"])),
        one("no offsets", texts(&[], b""), Fails(&["offsets"])),
    ];
    // One row with 30 MB of text.
    let flood = "(drop (memory.grow (i32.const 500)))
        (memory.fill (i32.const 256) (i32.const 0) (i32.const 72))
        (i32.store (i32.const 64) (i32.const 312)) (i32.store (i32.const 68) (i32.const 1))
        (i32.store (i32.const 72) (i32.const 256)) (i32.store (i32.const 76) (i32.const 1))
        (i32.store (i32.const 296) (i32.const 320)) (i32.store (i32.const 300) (i32.const 2))
        (i32.store (i32.const 304) (i32.const 65536)) (i32.store (i32.const 308) (i32.const 30000000))
        (i32.store (i32.const 324) (i32.const 30000000))
        (i32.const 64)";
    let flood = Guest { manifest: manifest("animal", "string", "").into_bytes(), ..evaluating("", flood) };
    animals.push(one("a flood of text", lazy(&flood), Fails(&["the answer has more than 16777216 bytes"])));
    animals
}
