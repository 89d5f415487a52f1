//! Machine code that is kept between runs is used where it is whole and ours, and made again where it is not.

mod common;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use common::{Guest, column, manifest, with_section};
use sandtrap_engine::{
    ComponentSource, Detection, Digest, Engine, EvaluateErrorKind, Instance, Known, Limits, cache::PrivateDir,
};

/// A component that is not there any more: whoever asks for it has no machine code.
#[derive(Debug)]
struct Gone;

impl ComponentSource for Gone {
    fn read(&self) -> io::Result<Vec<u8>> {
        Err(io::Error::other("it is gone"))
    }
}

fn engine(folder: &Path) -> Engine {
    Engine::with_cache(Limits::default(), &PrivateDir::open(folder).expect("a private folder")).expect("an engine")
}

fn component(id: &str) -> Vec<u8> {
    with_section(&Guest::honest(id).component(), &manifest(id, "long"))
}

/// The detection `id` without its component, as another run would find it.
fn restored(engine: &Engine, id: &str, component: &[u8]) -> Detection {
    let text = manifest(id, "long");
    let digest = Digest::of(component);
    let known = Known { manifest: &text, digest, component_bytes: component.len(), source: Arc::new(Gone) };
    engine.restore(known).expect("it is sound")
}

fn run(detection: &Detection) -> Result<Vec<u32>, (EvaluateErrorKind, String)> {
    let found = Instance::new(detection).evaluate(0, 0, 4, &[column(&[5, 0, -7, 0])]);
    found.map(|found| found.rows).map_err(|error| (error.kind(), error.to_string()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("code")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}

#[test]
fn a_second_run_needs_no_component() {
    let root = tempfile::tempdir().expect("a folder");
    let component = component("warm");
    let first = engine(root.path());
    let (missing, _) = run(&restored(&first, "warm", &component)).expect_err("nothing is cached");
    assert_eq!(missing, EvaluateErrorKind::Unusable);
    let loaded = first.load(&component).expect("loads");
    assert!(files(root.path()).is_empty(), "nothing ran");
    assert_eq!(run(&loaded), Ok(vec![0, 2]));
    assert_eq!(files(root.path()).len(), 1);
    assert_eq!(run(&restored(&engine(root.path()), "warm", &component)), Ok(vec![0, 2]));
    assert_eq!(first.cache_problem(), None);

    // A component without the section is described by its code.
    let bare = Guest::honest("bare").component();
    for _ in 0..2 {
        assert_eq!(run(&engine(root.path()).load(&bare).expect("loads")), Ok(vec![0, 2]));
        assert_eq!(files(root.path()).len(), 2);
    }
}

#[test]
fn released_code_is_loaded_again_or_made_again() {
    #[derive(Debug)]
    struct There(Vec<u8>);
    impl ComponentSource for There {
        fn read(&self) -> io::Result<Vec<u8>> {
            Ok(self.0.clone())
        }
    }
    let root = tempfile::tempdir().expect("a folder");
    let component = component("released");
    let there = || Arc::new(There(component.clone()));
    let cached = engine(root.path());
    let stored = cached.load_from(&component, there()).expect("loads");
    let mut running = Instance::new(&stored);
    let columns = [column(&[5, 0, -7, 0])];
    let rows = |running: &mut Instance| running.evaluate(0, 0, 4, &columns).expect("runs").rows;
    for forgets in [false, true] {
        assert_eq!(rows(&mut running), [0, 2]);
        assert!(stored.is_prepared());
        stored.release_code();
        assert!(!stored.is_prepared());
        if forgets {
            fs::remove_file(&files(root.path())[0]).expect("removed");
        }
        assert_eq!(rows(&mut running), [0, 2], "it is running");
        running.release();
    }
    assert_eq!(rows(&mut running), [0, 2]);

    // Without a cache, or without the component, code that is let go of might never come back.
    let uncached = Engine::new(Limits::default()).expect("an engine").load_from(&component, there()).expect("loads");
    let held = cached.load(&component).expect("loads");
    for detection in [uncached, held] {
        assert_eq!(run(&detection), Ok(vec![0, 2]));
        detection.release_code();
        assert!(detection.is_prepared());
    }
}

#[test]
fn damaged_truncated_and_foreign_files_are_not_run_but_made_again() {
    let root = tempfile::tempdir().expect("a folder");
    let (ours, others) = (component("ours"), component("others"));
    run(&engine(root.path()).load(&others).expect("loads")).expect("runs");
    let [foreign] = files(root.path()).try_into().expect("one file");
    run(&engine(root.path()).load(&ours).expect("loads")).expect("runs");
    let is_ours = |file: &PathBuf| *file != foreign;
    let [file] = files(root.path()).into_iter().filter(is_ours).collect::<Vec<_>>().try_into().expect("another");
    let whole = fs::read(&file).expect("machine code");
    let foreign = fs::read(foreign).expect("machine code");
    let mut damaged: Vec<Vec<u8>> = [0, 1, 47, 48, 80, whole.len() / 2, whole.len() - 1]
        .into_iter()
        .flat_map(|place| {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            [whole[..place].to_vec(), flipped]
        })
        .collect();
    damaged.extend([foreign, b"\x7fELF".to_vec(), [whole.as_slice(), b"more"].concat()]);
    for damaged in damaged {
        fs::write(&file, &damaged).expect("written");
        let (kind, message) = run(&restored(&engine(root.path()), "ours", &ours)).expect_err("it is not whole");
        assert_eq!(kind, EvaluateErrorKind::Unusable);
        assert!(message.contains("it is gone"), "the component was asked for: {message}");
        assert_eq!(run(&engine(root.path()).load(&ours).expect("loads")), Ok(vec![0, 2]));
        assert_eq!(run(&restored(&engine(root.path()), "ours", &ours)), Ok(vec![0, 2]), "written again");
    }
}

#[test]
fn code_is_kept_for_one_manifest_and_one_set_of_limits() {
    let root = tempfile::tempdir().expect("a folder");
    let component = component("one");
    run(&engine(root.path()).load(&component).expect("loads")).expect("runs");
    let (kind, message) = run(&restored(&engine(root.path()), "another", &component)).expect_err("another manifest");
    assert_eq!(kind, EvaluateErrorKind::Unusable);
    assert!(message.contains("sandtrap:manifest"), "{message}");
    let folder = PrivateDir::open(root.path()).expect("a private folder");
    let stricter = Limits { functions: 2, ..Limits::default() };
    let stricter = Engine::with_cache(stricter, &folder).expect("an engine");
    let (_, message) = run(&restored(&stricter, "one", &component)).expect_err("it was never checked for these limits");
    assert!(message.contains("it is gone"), "{message}");
}

#[test]
fn a_cache_that_cannot_be_written_costs_nothing_but_time() {
    let root = tempfile::tempdir().expect("a folder");
    let engine = engine(root.path());
    fs::remove_dir(root.path().join("code")).expect("removed");
    let component = component("kept-out");
    assert_eq!(run(&engine.load(&component).expect("loads")), Ok(vec![0, 2]));
    assert_eq!(run(&engine.load(&component).expect("loads")), Ok(vec![0, 2]));
    assert!(engine.cache_problem().is_some_and(|problem| problem.contains("cannot be kept")), "{engine:?}");

    let off = Engine::new(Limits::default()).expect("an engine");
    assert_eq!(run(&off.load(&component).expect("loads")), Ok(vec![0, 2]));
    assert!(off.cache().is_none() && off.cache_problem().is_none());
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = PrivateDir::open(root.path()).expect("a private folder");
    let roomy = engine(root.path());
    run(&roomy.load(&component("first")).expect("loads")).expect("runs");
    let size = fs::metadata(&files(root.path())[0]).expect("a file").len();
    let narrow = Engine::with_cache_of(Limits::default(), &folder, 4 * size + size / 2).expect("an engine");
    for id in ["second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"] {
        run(&narrow.load(&component(id)).expect("loads")).expect("runs");
        let held: u64 = files(root.path()).iter().map(|file| fs::metadata(file).expect("a file").len()).sum();
        assert!(held <= 6 * size, "{held} bytes with {id}");
    }
    run(&restored(&roomy, "first", &component("first"))).expect_err("it is the oldest");
    run(&restored(&roomy, "eighth", &component("eighth"))).expect("it is the newest");
}

/// The folder that another process runs this test with.
const SHARED: &str = "SANDTRAP_TEST_CACHE";

#[test]
fn a_process_finds_or_makes_what_it_needs() {
    let own = tempfile::tempdir().expect("a folder");
    let folder = env::var_os(SHARED).map_or_else(|| own.path().to_owned(), PathBuf::from);
    for id in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(run(&engine(&folder).load(&component(id)).expect("loads")), Ok(vec![0, 2]), "{id}");
        assert_eq!(run(&restored(&engine(&folder), id, &component(id))), Ok(vec![0, 2]), "{id}");
    }
    assert_eq!(files(&folder).iter().filter(|file| file.extension().is_some()).count(), 6);
}

#[test]
fn processes_that_race_for_one_cache_all_run() {
    let root = tempfile::tempdir().expect("a folder");
    let process = || {
        let mut command = Command::new(env::current_exe().expect("this test"));
        command.args(["--exact", "a_process_finds_or_makes_what_it_needs"]).env(SHARED, root.path());
        command.stdout(std::process::Stdio::piped()).spawn().expect("a process")
    };
    let processes: Vec<_> = (0..3).map(|_| process()).collect();
    for process in processes {
        let output = process.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
    assert_eq!(files(root.path()).len(), 6, "nothing is left behind");
}
