//! Rule files that change in every way that files do: what loads is in force, and what does not leaves the set before it
//! in force and says why.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sandtrap_embed::{
    Engine, EngineLimits, LookbackMode,
    compiler::{self, compile},
    evaluator::{Difference, Evaluator, Options, Pruning, Reporting},
    rules::{Followed, Follower, RuleFiles, RuleSet, Selection, SiteFiles},
};

/// How long a change may take to be noticed before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

const OPTIONS: Options =
    Options { now: 0, lookback: LookbackMode::All, reporting: Reporting::AsTheyCome, pruning: Pruning::Index };

/// A folder of rules that is followed.
struct Scene {
    folder: tempfile::TempDir,
    follower: Follower,
    /// The rules that were loaded first.
    set: RuleSet,
    /// Keeps the sets.
    _evaluator: Evaluator,
}

impl Scene {
    /// The rules in `rules` of a new folder, which `write` writes; all are sound.
    fn new(write: impl FnOnce(&Path)) -> Self {
        let scene = Self::with_broken_rules(write);
        assert!(scene.set.refused.is_empty(), "{:?}", scene.set.refused);
        scene
    }

    fn with_broken_rules(write: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path());
        let engine = Engine::new(EngineLimits::default()).expect("an engine");
        let paths = [folder.path().join("rules")];
        let site = SiteFiles { rules: &paths, pipelines: &[], placeholders: &[] };
        let mut files = RuleFiles::new(&engine, &site, false, Selection::default()).that_may_change();
        let (set, _) = files.load(&|_| {}).expect("a sound site");
        let evaluator = Evaluator::new(&set.rules, OPTIONS).expect("rules that can run");
        let mut follower = Follower::new(files, &set, Arc::clone(evaluator.succession())).expect("a watch");
        assert!(matches!(follower.follow(PATIENCE), Some(Followed::Same)), "nothing changed yet");
        Self { folder, follower, set, _evaluator: evaluator }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What becomes of the next change that is one.
    fn next(&mut self) -> Followed {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            match self.follower.follow(Duration::from_millis(100)) {
                None | Some(Followed::Same) => {}
                Some(followed) => return followed,
            }
        }
        panic!("nothing was noticed");
    }

    #[track_caller]
    fn in_force(&mut self, added: usize, removed: usize, changed: usize) {
        match self.next() {
            Followed::InForce { difference, .. } => assert_eq!(difference, Difference { added, removed, changed }),
            other => panic!("{other:?}"),
        }
    }

    /// The change is not in force, and says why.
    #[track_caller]
    fn kept(&mut self, why: &str) {
        match self.next() {
            Followed::Kept { refused, reason } => {
                let said: Vec<String> = refused.iter().map(ToString::to_string).chain(reason).collect();
                assert!(said.iter().any(|said| said.contains(why)), "{said:?} does not say `{why}`");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Nothing becomes of what happened for a while.
    #[track_caller]
    fn quiet(&mut self) {
        for _ in 0..3 {
            let followed = self.follower.follow(Duration::from_millis(100));
            assert!(matches!(followed, None | Some(Followed::Same)), "{followed:?}");
        }
    }
}

fn rule(action: &str) -> String {
    format!("DeviceFileEvents | where ActionType == '{action}'")
}

fn write_one(folder: &Path) {
    fs::create_dir(folder.join("rules")).expect("a folder");
    fs::write(folder.join("rules/a.kql"), rule("a")).expect("a rule");
}

#[test]
fn files_that_are_moved_written_and_removed_are_noticed_and_everything_else_is_not() {
    let mut scene = Scene::new(write_one);
    fs::write(scene.path("b.kql"), rule("b")).expect("a file beside the folder");
    fs::write(scene.path("rules/notes.txt"), "no rule").expect("a file that is no rule");
    let _ = fs::read(scene.path("rules/a.kql"));
    scene.quiet();
    fs::rename(scene.path("b.kql"), scene.path("rules/b.kql")).expect("moved into the folder");
    scene.in_force(1, 0, 0);
    fs::write(scene.path("rules/a.kql"), rule("other")).expect("written in place");
    scene.in_force(0, 0, 1);
    fs::create_dir(scene.path("rules/deeper")).expect("a folder");
    fs::write(scene.path("rules/deeper/c.kql"), rule("c")).expect("a rule");
    scene.in_force(1, 0, 0);
    fs::remove_file(scene.path("rules/b.kql")).expect("it is there");
    scene.in_force(0, 1, 0);
    fs::write(scene.path("rules/a.kql"), rule("other")).expect("the same again");
    scene.quiet();
}

#[test]
fn a_half_written_file_is_waited_for() {
    let mut scene = Scene::new(write_one);
    let path = scene.path("rules/b.kql");
    let writer = thread::spawn(move || {
        let text = rule("b");
        let mut file = fs::File::create(path).expect("a file");
        // None of these is a rule, but the last.
        for part in text.as_bytes().chunks(7) {
            file.write_all(part).expect("room");
            file.flush().expect("room");
            thread::sleep(Duration::from_millis(60));
        }
    });
    scene.in_force(1, 0, 0);
    writer.join().expect("written");
    scene.quiet();
}

#[test]
fn a_rule_that_does_not_load_leaves_all_as_they_were_and_says_where_it_is() {
    let mut scene = Scene::new(write_one);
    fs::write(scene.path("rules/b.kql"), rule("b")).expect("a sound rule");
    fs::write(scene.path("rules/c.kql"), "DeviceFileEvents | where").expect("a bad rule");
    scene.kept("rules/c.kql");
    fs::write(scene.path("rules/c.kql"), b"DeviceFileEvents | where ActionType == '\xff'").expect("no text");
    scene.kept("rules/c.kql: the file is not UTF-8");
    fs::write(scene.path("rules/c.wasm"), b"\0asm").expect("half a component");
    fs::remove_file(scene.path("rules/c.kql")).expect("it is there");
    scene.kept("rules/c.wasm");
    fs::write(scene.path("rules/a.yml"), "title: [").expect("no YAML");
    scene.kept("rules/a.yml");
    for broken in ["rules/c.wasm", "rules/a.yml"] {
        fs::remove_file(scene.path(broken)).expect("it is there");
    }
    // What was sound all the while is in force now.
    scene.in_force(1, 0, 0);
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_deleted_or_leads_nowhere_leaves_all_as_they_were_until_it_is_back() {
    use std::os::unix::fs::symlink;

    let mut scene = Scene::new(write_one);
    fs::remove_dir_all(scene.path("rules")).expect("it is there");
    scene.kept("rules");
    fs::create_dir(scene.path("rules")).expect("a folder");
    scene.kept("no rule");
    fs::write(scene.path("rules/a.kql"), rule("a")).expect("a rule");
    fs::write(scene.path("rules/b.kql"), rule("b")).expect("a rule");
    scene.in_force(1, 0, 0);
    // It is watched as before.
    fs::write(scene.path("rules/b.kql"), rule("c")).expect("a rule");
    scene.in_force(0, 0, 1);
    fs::remove_dir_all(scene.path("rules")).expect("it is there");
    scene.kept("rules");
    symlink(scene.path("rules"), scene.path("rules")).expect("a link to itself");
    scene.kept("symbolic links");
    // It is said once.
    fs::write(scene.path("other"), "").expect("a file beside it");
    scene.quiet();
    fs::remove_file(scene.path("rules")).expect("it is there");
    fs::create_dir(scene.path("rules")).expect("a folder");
    symlink(scene.path("rules"), scene.path("rules/up.kql")).expect("a link to its own folder");
    symlink(scene.path("rules/round.kql"), scene.path("rules/round.kql")).expect("a link to itself");
    fs::write(scene.path("rules/a.kql"), rule("d")).expect("a rule");
    scene.in_force(0, 1, 1);
}

#[cfg(unix)]
#[test]
fn a_link_that_is_switched_to_another_folder_is_one_change() {
    use std::os::unix::fs::symlink;

    let mut scene = Scene::new(|folder| {
        for (version, count) in [("v1", 3), ("v2", 5)] {
            fs::create_dir(folder.join(version)).expect("a folder");
            for number in 0..count {
                let text = rule(if number == 0 { version } else { "same" });
                fs::write(folder.join(version).join(format!("{number}.kql")), text).expect("a rule");
            }
        }
        symlink(folder.join("v1"), folder.join("rules")).expect("a link");
    });
    symlink(scene.path("v2"), scene.path("next")).expect("a link");
    fs::rename(scene.path("next"), scene.path("rules")).expect("switched at once");
    scene.in_force(2, 0, 1);
    fs::write(scene.path("v2/0.kql"), rule("v3")).expect("a rule");
    scene.in_force(0, 0, 1);
    fs::write(scene.path("v1/0.kql"), rule("v4")).expect("a rule of the folder that is not in force");
    scene.quiet();
}

#[test]
fn a_second_rule_that_is_wrong_as_the_first_is_is_not_taken_for_it() {
    let sigma = |id: &str, field: &str| {
        format!(
            "title: t\nid: {id}\nlogsource: {{product: windows, category: process_creation}}\n\
             detection: {{sel: {{{field}: a}}, condition: sel}}\n"
        )
    };
    let first = "6f3e2987-db24-4c78-a860-b4f4095a7095";
    let second = "6f3e2987-db24-4c78-a860-b4f4095a7096";
    let both = |field: &str| format!("{}---\n{}", sigma(first, "Image|nonsense"), sigma(second, field));
    let mut scene = Scene::with_broken_rules(|folder| {
        write_one(folder);
        fs::write(folder.join("rules/two.yml"), both("Image")).expect("two rules, of which one is wrong");
    });
    assert_eq!((scene.set.rules.len(), scene.set.refused.len()), (2, 1), "{:?}", scene.set.refused);
    fs::write(scene.path("rules/two.yml"), both("Image|nonsense")).expect("both are wrong");
    scene.kept("nonsense");
    fs::write(scene.path("rules/two.yml"), both("User")).expect("one is wrong, as before");
    scene.in_force(0, 0, 1);
}

#[test]
fn a_component_runs_whatever_becomes_of_its_file() {
    let component = |action: &str| {
        let compiled = compile("a.kql", &rule(action), &compiler::Options::default());
        compiled.into_iter().find_map(|compiled| compiled.component).expect("a component")
    };
    let mut scene = Scene::new(|folder| {
        fs::create_dir(folder.join("rules")).expect("a folder");
        fs::write(folder.join("rules/a.wasm"), component("a")).expect("a component");
        fs::write(folder.join("rules/b.kql"), rule("b")).expect("a rule");
    });
    fs::write(scene.path("rules/a.wasm"), component("other").split_at(100).0).expect("half a component");
    scene.kept("rules/a.wasm");
    // Its machine code was not made before.
    for rule in &scene.set.rules {
        rule.detection.prepare().expect("it can run all the same");
    }
    fs::write(scene.path("rules/a.wasm"), component("a")).expect("the component again");
    scene.quiet();
    fs::write(scene.path("rules/a.wasm"), component("other")).expect("another component");
    scene.in_force(0, 0, 1);
}

#[test]
fn what_is_written_beside_the_rules_holds_nothing_up() {
    let mut scene = Scene::new(write_one);
    let (beside, among) = (scene.path("verdicts.ndjson"), scene.path("rules/verdicts.ndjson"));
    let (stop, is_over) = std::sync::mpsc::channel::<()>();
    let writer = thread::spawn(move || {
        let mut files = [beside, among].map(|path| fs::File::create(path).expect("a file"));
        while matches!(is_over.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
            for file in &mut files {
                file.write_all(b"{}\n").expect("room");
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
    let started = Instant::now();
    for action in ["b", "c", "d"] {
        fs::write(scene.path("rules/a.kql"), rule(action)).expect("a rule");
        scene.in_force(0, 0, 1);
    }
    let took = started.elapsed();
    drop(stop);
    writer.join().expect("written");
    // Each would take five seconds.
    assert!(took < Duration::from_secs(12), "{took:?}");
}
