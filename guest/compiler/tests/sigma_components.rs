//! Every rule of `SigmaHQ` compiles, and how large the components are. Runs where `SANDTRAP_SHARED` names the shared folder.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use sandtrap_compiler::{
    Options, Site, compile,
    ir::{ElementTest, Expr, Program},
};

/// So many rule files the corpus has.
const RULES: usize = 3_757;
/// A component may be larger only if its rule has more than [`VALUES_OF_SMALL`] values.
const COMPONENT_BYTES_MAX: usize = 100 * 1_000;
const VALUES_OF_SMALL: usize = 200;

/// What the two rules with placeholders need.
const PLACEHOLDERS: &str = "Administrators: ['adm_*', root]\nServers: 'srv*'\nDomainControllers: 'dc*'\n\
    Workstations: 'ws*'\nJumpServers: 'jump*'\nAdmins_Workstations: 'adminws*'\nInternalIPs: '10.*'\n\
    known_cdcs: ['dc1$', 'dc2$']\n";

fn rule_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the corpus") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rule_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            found.push(path);
        }
    }
}

/// How many values the searches have, after everything that makes several of one.
fn values(program: &Program) -> usize {
    fn of(expr: &Expr) -> usize {
        match expr {
            Expr::And(operands) | Expr::Or(operands) => operands.iter().map(of).sum(),
            Expr::Not(operand) => of(operand),
            Expr::TextMatch(text) => text.needles.len(),
            Expr::AnyElement { test: ElementTest::Wildcards { patterns, .. }, .. } => patterns.len(),
            Expr::AnyElement { test: ElementTest::Cidr(networks), .. } => networks.len(),
            Expr::InSet { set, .. } => set.len(),
            _ => 1,
        }
    }
    program.kernels.iter().filter_map(|kernel| kernel.filter.as_ref()).map(of).sum()
}

#[derive(Default)]
struct Tally {
    compiled: usize,
    /// Errors by code, with some of what they are about.
    errors: BTreeMap<&'static str, Vec<String>>,
    sizes: Vec<usize>,
    /// Files whose component is larger than it may be, with its values and bytes.
    large: Vec<(String, usize, usize)>,
}

fn compile_one(file: &Path, options: &Options, tally: &Mutex<Tally>) {
    let text = fs::read_to_string(file).expect("a rule");
    let name = file.file_name().expect("a file").to_string_lossy().into_owned();
    let compilations = compile(&file.to_string_lossy(), &text, options);
    let mut tally = tally.lock().expect("no thread has panicked");
    let mut is_compiled = true;
    for compilation in &compilations {
        for error in compilation.diagnostics.iter().filter(|found| found.is_error()) {
            let line = text[..error.span.start].lines().count();
            let shown = format!("{name}:{line}: {}", error.message);
            tally.errors.entry(error.code).or_default().push(shown);
        }
        let (Some(component), Some(program)) = (&compilation.component, compilation.program()) else {
            is_compiled = false;
            continue;
        };
        tally.sizes.push(component.len());
        if component.len() > COMPONENT_BYTES_MAX {
            tally.large.push((name.clone(), values(program), component.len()));
        }
    }
    tally.compiled += usize::from(is_compiled);
}

#[test]
fn every_rule_of_the_corpus_compiles() {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else { return };
    let corpus = Path::new(&shared).join("corpus/sigma");
    let mut files = Vec::new();
    for entry in fs::read_dir(&corpus).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rules")) {
            rule_files(&path, &mut files);
        }
    }
    let mut site = Site::default();
    assert_eq!(site.add_placeholders(PLACEHOLDERS), []);
    let options = Options { strict_schema: false, site: Arc::new(site) };
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    compile_one(file, &options, &tally);
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let mut tally = tally.into_inner().expect("no thread has panicked");
    println!("{} of {} rule files compile in {seconds:.1} s on 2 threads", tally.compiled, files.len());
    for (code, errors) in &tally.errors {
        println!("{code}: {} errors", errors.len());
        errors.iter().take(12).for_each(|error| println!("  {error}"));
    }
    tally.sizes.sort_unstable();
    let at = |share: usize| tally.sizes.get(tally.sizes.len().saturating_sub(1) * share / 100).copied().unwrap_or(0);
    println!("component bytes: least {}, half {}, 90% {}, 99% {}, most {}", at(0), at(50), at(90), at(99), at(100));
    for (name, values, bytes) in &tally.large {
        println!("{name}: {bytes} bytes for {values} values");
    }
    assert_eq!(files.len(), RULES, "the corpus is whole");
    assert_eq!(tally.compiled, RULES, "every rule compiles");
    let too_large: Vec<_> = tally.large.iter().filter(|(_, values, _)| *values <= VALUES_OF_SMALL).collect();
    assert!(too_large.is_empty(), "larger than {COMPONENT_BYTES_MAX} bytes: {too_large:?}");
}
