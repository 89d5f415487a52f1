//! A start that finds its rules in the cache gives the same rule set as one that compiles them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sandtrap_embed::{
    Engine, EngineLimits, PrivateDir,
    compiler::{Options, Site},
    rules::{RuleSet, Selection, SiteFiles},
    wit::manifest::Level,
};

/// Rule files and a cache.
struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { root: tempfile::tempdir().expect("a folder") };
        fs::create_dir(scene.rules()).expect("a folder");
        scene
    }

    fn rules(&self) -> PathBuf {
        self.root.path().join("rules")
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.rules().join(file), text).expect("written");
    }

    fn engine(&self) -> Engine {
        let cache = PrivateDir::open(&self.root.path().join("cache")).expect("a private folder");
        Engine::with_cache(EngineLimits::default(), &cache).expect("an engine")
    }

    fn load(&self) -> RuleSet {
        self.load_with(&Options::default(), &Selection::default())
    }

    fn load_with(&self, options: &Options, selection: &Selection) -> RuleSet {
        let set = RuleSet::load(&self.engine(), &[self.rules()], options, selection, &|_| {});
        assert_eq!(set.cache_problem, None);
        set
    }

    /// The names of the cache's segments.
    fn segments(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path().join("cache/rules")).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A Sigma rule.
fn rule(id: u32, needle: &str) -> String {
    format!(
        "title: Rule {id}\nid: 00000000-0000-0000-0000-{id:012}\nstatus: test\nlevel: {level}\n\
         logsource:\n  category: process_creation\n  product: windows\n\
         detection:\n  selection:\n    CommandLine|contains: '{needle}'\n  condition: selection\n",
        level = if id.is_multiple_of(2) { "high" } else { "low" },
    )
}

/// Everything that a rule set says, as text.
fn shown(set: &RuleSet) -> String {
    let rules = set.rules.iter().map(|rule| {
        let detection = &rule.detection;
        format!("{} {} {:?}\n", rule.file.display(), detection.digest(), detection.manifest())
    });
    let others = set.refused.iter().map(|refused| format!("{refused}\n"));
    let warnings = set.warnings.iter().map(|remarks| format!("{remarks:?}\n"));
    rules.chain(others).chain(warnings).collect::<String>() + &set.left_out.to_string()
}

/// Whether every rule can run. Components are compiled again from their texts, and must come out as they were.
fn assert_all_run(set: &RuleSet) {
    assert!(set.rules.iter().all(|rule| !rule.detection.is_prepared()), "nothing has run");
    let refused: Vec<String> = set.prepare(&|_| {}).iter().map(ToString::to_string).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(set.rules.iter().all(|rule| rule.detection.is_prepared()));
}

#[test]
fn a_second_start_finds_what_the_first_compiled() {
    let scene = Scene::new();
    scene.write("one.yml", &rule(1, "alpha"));
    scene.write("two.yml", &format!("{}---\n{}", rule(2, "beta"), rule(3, "gamma")));
    scene.write("hunt.kql", "DeviceNetworkEvents | where RemotePort == 4444");
    let first = scene.load();
    assert_eq!(first.rules.len(), 4);
    let segments = scene.segments();
    assert_eq!(segments.len(), 1);
    let second = scene.load();
    assert_eq!(shown(&second), shown(&first));
    assert_eq!(scene.segments(), segments, "there was nothing new");
    assert_all_run(&second);

    let off = Engine::new(EngineLimits::default()).expect("an engine");
    let off = RuleSet::load(&off, &[scene.rules()], &Options::default(), &Selection::default(), &|_| {});
    assert_eq!(shown(&off), shown(&first));
    assert_all_run(&off);
}

#[test]
fn what_there_is_to_say_is_said_again() {
    let scene = Scene::new();
    scene.write("sound.yml", &rule(1, "alpha"));
    scene.write("broken.yml", &rule(2, "beta").replace("contains", "contians"));
    scene.write("half.yml", &format!("{}---\n{}", rule(3, "gamma"), rule(4, "delta").replace("contains", "contians")));
    scene.write("warned.kql", "DeviceNetworkEvents | where NoSuchColumn == 4444");
    scene.write("twice.yml", &rule(1, "epsilon"));
    let first = scene.load();
    assert_eq!((first.rules.len(), first.refused.len(), first.warnings.len()), (3, 3, 1), "{}", shown(&first));
    assert_eq!(shown(&scene.load()), shown(&first));
}

#[test]
fn a_selection_finds_rules_that_an_earlier_one_left_out() {
    let scene = Scene::new();
    scene.write("low_and_high.yml", &format!("{}---\n{}", rule(1, "alpha"), rule(2, "beta")));
    let high = Selection { level: Some(Level::High), ..Selection::default() };
    let few = scene.load_with(&Options::default(), &high);
    assert_eq!((few.rules.len(), few.left_out), (1, 1));
    let segments = scene.segments();
    let all = scene.load();
    assert_eq!((all.rules.len(), all.left_out), (2, 0));
    assert_eq!(scene.segments(), segments, "both were kept");
    assert_eq!(shown(&scene.load_with(&Options::default(), &high)), shown(&few));
    assert_all_run(&all);
}

#[test]
fn an_edit_a_name_or_what_the_site_adds_makes_another_rule() {
    let scene = Scene::new();
    scene.write("a.yml", &rule(1, "alpha"));
    let before = scene.load();
    scene.write("a.yml", &rule(1, "omega"));
    let edited = scene.load();
    assert_ne!(shown(&edited), shown(&before));
    assert_eq!(scene.segments().len(), 2);
    assert_all_run(&before);

    // A rule without an id is known by its file's name.
    let nameless = rule(1, "alpha").replace("id: 00000000-0000-0000-0000-000000000001\n", "");
    scene.write("b.yml", &nameless);
    let b = scene.load();
    fs::rename(scene.rules().join("b.yml"), scene.rules().join("c.yml")).expect("renamed");
    let c = scene.load();
    assert_ne!(b.rules[1].detection.full_id(), c.rules[1].detection.full_id());

    let placeholders = |value: &str| {
        let mut site = Site::default();
        assert!(site.add_placeholders(&format!("Name: [{value}]\n")).is_empty());
        Options { site: Arc::new(site), ..Options::default() }
    };
    scene.write("d.yml", &rule(2, "%Name%").replace("|contains", "|contains|expand"));
    let digest = |value: &str| {
        let set = scene.load_with(&placeholders(value), &Selection::default());
        assert!(set.refused.is_empty(), "{}", shown(&set));
        let rule = set.rules.iter().find(|rule| rule.file.ends_with("d.yml"));
        rule.expect("it compiles").detection.digest().to_owned()
    };
    let (alpha, beta) = (digest("alpha"), digest("beta"));
    assert_ne!(alpha, beta);
    assert_eq!((digest("alpha"), digest("beta")), (alpha, beta));
}

#[test]
fn filters_narrow_cached_rules_and_are_not_idle() {
    let scene = Scene::new();
    scene.write("rule.yml", &rule(1, "alpha"));
    let filter = |id: u32| {
        format!(
            "title: Filter\nid: 00000000-0000-0000-0001-000000000000\nlogsource:\n  category: process_creation\n  \
             product: windows\nfilter:\n  rules:\n    - 00000000-0000-0000-0000-{id:012}\n  selection:\n    User: admin\n  \
             condition: not selection\n"
        )
    };
    let load = || {
        let rules = [scene.rules()];
        let (site, _) = SiteFiles { rules: &rules, pipelines: &[], placeholders: &[] }.read().expect("a site");
        scene.load_with(&Options { site: Arc::new(site), ..Options::default() }, &Selection::default())
    };
    scene.write("filter.yml", &filter(1));
    let narrowed = load();
    assert!(narrowed.warnings.is_empty(), "{}", shown(&narrowed));
    assert_eq!(shown(&load()), shown(&narrowed));
    scene.write("filter.yml", &filter(7));
    let idle = load();
    assert_eq!(idle.warnings.len(), 1, "{}", shown(&idle));
    assert_eq!(shown(&load()), shown(&idle));
    assert_ne!(idle.rules[0].detection.digest(), narrowed.rules[0].detection.digest());
}

#[test]
fn damaged_segments_are_made_again() {
    let scene = Scene::new();
    scene.write("a.yml", &rule(1, "alpha"));
    let first = scene.load();
    let [segment] = scene.segments().try_into().expect("one");
    let path = scene.root.path().join("cache/rules").join(&segment);
    let whole = fs::read(&path).expect("it is there");
    for damaged in [&whole[..whole.len() / 2], b"", b"something else", &[whole.as_slice(), b"x"].concat()] {
        fs::write(&path, damaged).expect("written");
        assert_eq!(shown(&scene.load()), shown(&first));
        assert_eq!(fs::read(&path).expect("it is there"), whole, "the same contents have the same name");
    }
}

#[test]
fn many_segments_become_one_without_what_is_gone() {
    let scene = Scene::new();
    let mut most = 0;
    for number in 0..20 {
        scene.write(&format!("{number}.yml"), &rule(number, &format!("needle{number}")));
        assert_eq!(scene.load().rules.len(), number as usize + 1);
        most = most.max(scene.segments().len());
    }
    assert!((2..=8).contains(&most), "{most} segments");
    let all = scene.load();
    assert_all_run(&all);
    assert_eq!(shown(&scene.load()), shown(&all));
}

#[test]
fn a_component_that_is_swapped_under_a_run_is_not_run() {
    let scene = Scene::new();
    let compiled = |needle: &str| {
        let compiled = sandtrap_compiler::compile("rule.yml", &rule(1, needle), &Options::default());
        compiled.into_iter().next().and_then(|rule| rule.component).expect("it compiles")
    };
    let file: &Path = &scene.rules().join("rule.wasm");
    fs::write(file, compiled("alpha")).expect("written");
    let set = scene.load();
    assert_eq!(set.rules.len(), 1, "{}", shown(&set));
    fs::write(file, compiled("omega")).expect("written");
    let [refused] = set.prepare(&|_| {}).try_into().expect("one");
    assert!(refused.to_string().contains("has changed since"), "{refused}");
    assert_all_run(&scene.load());
}
