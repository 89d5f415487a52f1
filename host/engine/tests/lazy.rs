//! Machine code is made late, and only of components that are what they say: a manifest in a section is believed until the
//! detection first runs, and no longer (invariants 1 and 5).

mod common;

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use common::{Guest, column, manifest, with_section};
use sandtrap_engine::{
    ComponentSource, Digest, Engine, EvaluateError, EvaluateErrorKind, Instance, Known, Limits, LoadErrorKind, Matches,
};

fn engine() -> Engine {
    Engine::new(Limits::default()).expect("an engine")
}

fn run(instance: &mut Instance) -> Result<Matches, EvaluateError> {
    instance.evaluate(0, 0, 4, &[column(&[5, 0, -7, 0])])
}

/// A component in memory that counts how often it is read, and can be swapped for another.
#[derive(Debug, Default)]
struct Shelf {
    component: Mutex<Vec<u8>>,
    reads: AtomicUsize,
}

impl Shelf {
    fn of(component: &[u8]) -> Arc<Self> {
        Arc::new(Self { component: Mutex::new(component.to_vec()), reads: AtomicUsize::new(0) })
    }
}

impl ComponentSource for Shelf {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let component = self.component.lock().expect("nobody panicked").clone();
        if component.is_empty() { Err(io::Error::other("the shelf is empty")) } else { Ok(component) }
    }
}

#[test]
fn a_manifest_in_a_section_needs_no_machine_code_until_the_first_batch() {
    let engine = engine();
    let bare = Guest::honest("honest").component();
    let described = engine.load(&bare).expect("honest");
    assert!(described.is_prepared(), "describe was called");
    let lazy = engine.load(&with_section(&bare, &manifest("honest", "long"))).expect("honest");
    assert!(!lazy.is_prepared());
    assert_eq!(lazy.manifest(), described.manifest());
    assert_eq!(lazy.kernels(), described.kernels());
    let mut instance = Instance::new(&lazy);
    assert_eq!((lazy.is_prepared(), instance.memory_bytes()), (false, 0), "an instance is started when it is used");
    let found = run(&mut instance).expect("honest");
    assert_eq!(found, run(&mut Instance::new(&described)).expect("honest"));
    assert!(lazy.is_prepared() && instance.memory_bytes() >= 65_536);
    instance.release();
    assert_eq!(instance.memory_bytes(), 0);
    assert_eq!(run(&mut instance).expect("it starts again"), found);
}

#[test]
fn a_section_that_lies_costs_its_detection_and_nobody_else() {
    let engine = engine();
    let other_stream = manifest("honest", "long").replace("\"S\"", "\"T\"");
    let reworded = manifest("honest", "long").replace("A test", "A  test");
    let honest = Guest::honest("honest").component();
    for section in [manifest("other", "long"), other_stream, reworded, manifest("honest", "long") + " "] {
        let lying = engine.load(&with_section(&honest, &section)).expect("loads");
        let mut instance = Instance::new(&lying);
        for _ in 0..2 {
            let error = run(&mut instance).expect_err("it is not what it says");
            assert_eq!(error.kind(), EvaluateErrorKind::Unusable, "{error}");
            assert!(error.to_string().contains("sandtrap:manifest"), "{error}");
        }
        assert_eq!(lying.prepare().expect_err("still").kind(), EvaluateErrorKind::Unusable);
        assert!(!lying.is_prepared());
        run(&mut Instance::new(&engine.load(&honest).expect("honest"))).expect("the honest one runs");
    }
}

#[test]
fn a_section_is_held_to_what_describe_is_held_to() {
    let engine = Engine::new(Limits { manifest_bytes: 4096, ..Limits::default() }).expect("an engine");
    let honest = Guest::honest("honest").component();
    let right = manifest("honest", "long");
    for (component, kind, words) in [
        (with_section(&honest, "{"), LoadErrorKind::Manifest, "not one that this host understands"),
        (with_section(&honest, &right.replace(": 1", ": 2")), LoadErrorKind::Manifest, "schema 2 is unknown"),
        (with_section(&honest, &right.replace("[0]", "[7]")), LoadErrorKind::Manifest, "out of range"),
        (with_section(&with_section(&honest, &right), &right), LoadErrorKind::Manifest, "two sections"),
        (with_section(&honest, &" ".repeat(4097)), LoadErrorKind::Limit, "4097 bytes of manifest"),
    ] {
        let error = engine.load(&component).expect_err(words);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_describe_would_have_been_refused_for_fails_when_it_first_runs() {
    let engine = engine();
    let section = manifest("late", "long");
    let trapping = Guest { describe: "unreachable".into(), ..Guest::honest("late") };
    let endless = Guest { describe: "(loop $l (br $l)) unreachable".into(), ..Guest::honest("late") };
    let shape = Guest { wit: sandtrap_wit::DETECTION_WIT.replace("rows: u32", "rows: s32"), ..Guest::honest("late") };
    for (guest, words) in [(trapping, "trapped"), (endless, "deadline"), (shape, "evaluate does not have the type")] {
        let detection = engine.load(&with_section(&guest.component(), &section)).expect("loads");
        let error = run(&mut Instance::new(&detection)).expect_err(words);
        assert_eq!(error.kind(), EvaluateErrorKind::Unusable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_stored_component_is_read_once_and_must_be_the_same() {
    let engine = engine();
    let component = with_section(&Guest::honest("stored").component(), &manifest("stored", "long"));
    let shelf = Shelf::of(&component);
    let loaded = engine.load_from(&component, Arc::clone(&shelf) as _).expect("loads");
    let text = manifest("stored", "long");
    let known = |shelf: &Arc<Shelf>| Known {
        manifest: &text,
        digest: Digest::of(&component),
        component_bytes: component.len(),
        source: Arc::clone(shelf) as _,
    };
    let restored = engine.restore(known(&shelf)).expect("it was sound before");
    assert_eq!(restored.manifest(), loaded.manifest());
    assert_eq!((restored.digest(), restored.component_bytes()), (loaded.digest(), component.len()));
    assert_eq!(shelf.reads.load(Ordering::Relaxed), 0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run(&mut Instance::new(&restored)).expect("honest"));
        }
    });
    assert_eq!(shelf.reads.load(Ordering::Relaxed), 1, "once for all instances");

    let importing = wat::parse_str(r#"(component (import "a:b/c" (func)))"#).expect("text");
    for (bytes, digest, words) in [
        (Guest::honest("another").component(), Digest::of(&component), "has changed"),
        (Vec::new(), Digest::of(&component), "the shelf is empty"),
        (importing.clone(), Digest::of(&importing), "invariant 1"),
    ] {
        let changed = engine.restore(Known { digest, ..known(&Shelf::of(&bytes)) }).expect("the manifest is sound");
        let error = run(&mut Instance::new(&changed)).expect_err(words);
        assert_eq!(error.kind(), EvaluateErrorKind::Unusable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_instance_that_grew_much_gives_its_memory_back() {
    let growing = |pages: u32| Guest {
        preamble: "(global $calls (mut i32) (i32.const 0))".into(),
        // The second call of one instance finds that there was a first.
        evaluate: format!(
            "(if (global.get $calls) (then unreachable)) (global.set $calls (i32.const 1))
             (drop (memory.grow (i32.const {pages}))) (memory.fill (i32.const 64) (i32.const 0) (i32.const 16))
             (i32.const 64)"
        ),
        manifest: manifest("growing", "long")
            .replace(r#"{"name": "B", "type": "long", "from": {"computed": 0}}"#, "")
            .into(),
        ..Guest::honest("growing")
    };
    let engine = Engine::new(Limits { kept_memory_bytes: 4 * 65_536, ..Limits::default() }).expect("an engine");
    let mut large = Instance::new(&engine.load(&growing(5).component()).expect("loads"));
    for _ in 0..3 {
        assert!(run(&mut large).expect("it is a new one each time").rows.is_empty());
        assert_eq!(large.memory_bytes(), 0);
    }
    let mut small = Instance::new(&engine.load(&growing(4).component()).expect("loads"));
    assert!(run(&mut small).expect("runs").rows.is_empty());
    assert!(small.memory_bytes() > 4 * 65_536, "it is kept");
    assert_eq!(run(&mut small).expect_err("it is the same one").kind(), EvaluateErrorKind::Trap);
}
