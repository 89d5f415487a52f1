//! What the benchmarks of single stages share: the rules, the lines, and which rows concern which detection.
//!
//! A run's worker goes through its stages by itself and shows no seams. Here the public parts of which it is made are put
//! together once more, in its order and with its sizes, so that a benchmark can stop the clock between two of them.

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use foldhash::fast::RandomState;
use sandtrap_embed::{
    Detection, LookbackMode, StreamMap,
    compiler::Options as CompilerOptions,
    evaluator::{Evaluator, Options, Pruning, Reporting},
    formats::{
        binding::{self, Binder, Pushed, Route, RoutedRow, Wanted},
        event::Position,
    },
    rules::{Rule, RuleSet, Selection},
    run::ROUND_EVENTS,
    stream_map,
    wit::{
        plan::{Kernel, Node, Rows, Source},
        prefilter::Value,
    },
};
use sandtrap_index::{Index, Indexed, Json, Row, Scratch, Written};

use crate::{engine, now, rules_folder};

/// So many lines are read before the index is asked about them, as by a worker.
pub const BLOCK: usize = 64;

/// How many rows a component is given at most in one call, as by a worker.
pub const CALL_ROWS: usize = 1024;

/// Rules, and what a run with them wants of events.
#[derive(Debug)]
pub struct Rules {
    /// By id.
    pub rules: Vec<Rule>,
    /// The map that is built in.
    pub streams: Arc<StreamMap>,
    /// The streams that the rules read, with all columns that they want of each.
    pub wanted: Vec<Wanted>,
    /// The rules that read a stream, in their order.
    pub readers: Vec<Reader>,
}

/// A detection that reads a stream.
#[derive(Debug)]
pub struct Reader {
    /// What runs.
    pub detection: Detection,
    /// The place of the stream in [`Rules::wanted`].
    pub wanted: usize,
    /// For each column of its source, the place among those of the stream.
    pub columns: Vec<usize>,
}

impl Rules {
    /// Sigma's public rules where `SANDTRAP_SHARED` says where to find them, else the shipped ones.
    pub fn load() -> Self {
        let set = RuleSet::load(&engine(), &folders(), &CompilerOptions::default(), &Selection::default(), &|_| {});
        // Some of Sigma's public rules need placeholders, which are for a site to say.
        eprintln!("{} rules, {} refused", set.rules.len(), set.refused.len());
        let evaluator = Evaluator::new(&set.rules, options()).expect("the plans can be run");
        let wanted = evaluator.wanted().to_vec();
        let readers = set.rules.iter().filter_map(|rule| Reader::of(&rule.detection, &wanted)).collect();
        let streams = Arc::new(stream_map(None).expect("the built-in map is sound"));
        Self { rules: set.rules, streams, wanted, readers }
    }

    /// A binder for what the rules want.
    pub fn binder(&self) -> Binder {
        Binder::new(Arc::clone(&self.streams), self.wanted.clone(), ROUND_EVENTS)
    }

    /// All lines in one round, of which only the events are kept that concern a detection.
    pub fn bind(&self, lines: &[&[u8]]) -> Bound {
        let (mut binder, mut indexes) = (self.binder(), Indexes::default());
        let mut candidates: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for block in lines.chunks(BLOCK) {
            push(&mut binder, block);
            indexes.ask(self, &mut binder, |reader, row| candidates.entry(reader).or_default().push(row));
        }
        Bound { binder, candidates }
    }
}

/// How the benchmarks evaluate.
pub fn options() -> Options {
    Options { now: now(), lookback: LookbackMode::All, reporting: Reporting::AsTheyCome, pruning: Pruning::Index }
}

fn folders() -> Vec<PathBuf> {
    let Some(shared) = env::var_os("SANDTRAP_SHARED") else { return vec![rules_folder()] };
    let entries = fs::read_dir(Path::new(&shared).join("corpus/sigma")).expect("the corpus is there");
    let paths = entries.map(|entry| entry.expect("the corpus can be read").path());
    let is_rules = |path: &PathBuf| {
        path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rules"))
    };
    let mut folders: Vec<PathBuf> = paths.filter(is_rules).collect();
    folders.sort();
    folders
}

impl Reader {
    fn of(detection: &Detection, wanted: &[Wanted]) -> Option<Self> {
        let source = source(detection);
        let Rows::Stream(stream) = &source.rows else { return None };
        let place = wanted.iter().position(|wanted| wanted.stream == *stream)?;
        let column = |column| wanted[place].columns.iter().position(|known| known == column);
        let columns = source.columns.iter().map(|it| column(it).expect("the column is wanted")).collect();
        Some(Self { detection: detection.clone(), wanted: place, columns })
    }

    /// The kernel that looks at the source's rows, if there is one.
    pub fn kernel(&self) -> Option<&Kernel> {
        match self.detection.manifest().plan.nodes.get(1) {
            Some(Node::Kernel(kernel)) => Some(kernel),
            _ => None,
        }
    }

    /// Where the columns that this kernel reads are among those of the stream.
    pub fn read_by(&self, kernel: &Kernel) -> Vec<usize> {
        kernel.reads.iter().map(|read| self.columns[*read as usize]).collect()
    }
}

fn source(detection: &Detection) -> &Source {
    match detection.manifest().plan.nodes.first() {
        Some(Node::Source(source)) => source,
        _ => panic!("{} does not start with a source", detection.full_id()),
    }
}

/// Reads lines, each of which is an event.
pub fn push(binder: &mut Binder, lines: &[&[u8]]) {
    let mut position = Position { source: "events".into(), line: 0, record: None, offset: 1 };
    for line in lines {
        position.line += 1;
        let pushed = binder.push_line(line, &position).expect("a sound line");
        assert!(matches!(pushed, Pushed::Event { .. }), "{pushed:?}");
    }
}

/// Events that were read, and which of them concern whom.
#[derive(Debug)]
pub struct Bound {
    /// Has the events of which some detection must be asked.
    pub binder: Binder,
    /// By places in [`Rules::readers`], the rows that the component must be asked about.
    pub candidates: BTreeMap<usize, Vec<u32>>,
}

/// For each route that events took, an index over the detections that read its streams.
#[derive(Debug, Default)]
pub struct Indexes {
    /// By the route's id. With each index, the places in [`Rules::readers`] of the detections in it.
    by_route: HashMap<u64, (Vec<usize>, Index), RandomState>,
    scratch: Scratch,
    found: Vec<u32>,
    is_wanted: Vec<bool>,
}

impl Indexes {
    /// How many routes there are.
    pub fn routes(&self) -> usize {
        self.by_route.len()
    }

    /// Finds the detections that can match the events that were read since this was done last, and forgets the other
    /// events. `candidate` is told of each such detection, by its place in [`Rules::readers`], and of the event's row.
    pub fn ask(&mut self, rules: &Rules, binder: &mut Binder, mut candidate: impl FnMut(usize, u32)) {
        let Self { by_route, scratch, found, is_wanted } = self;
        let rows = binder.unsettled();
        let round = binder.round();
        let mut kept = u32::try_from(rows.start).expect("few rows");
        is_wanted.clear();
        for row in rows.clone() {
            found.clear();
            if let Some(routed) = round.row(row) {
                let route = routed.route();
                let (readers, index) = by_route.entry(route.id).or_insert_with(|| index(route, &rules.readers));
                index.candidates(&EventRow(routed), scratch, found);
                found.extend_from_slice(index.unpruned());
                for number in &*found {
                    candidate(readers[*number as usize], kept);
                }
            }
            kept += u32::from(!found.is_empty());
            is_wanted.push(!found.is_empty());
        }
        binder.settle(|row| is_wanted[row - rows.start]);
    }

    /// Puts to use what the indexes learned about events. Whether there was anything.
    pub fn tune(&mut self) -> bool {
        let mut has_tuned = false;
        for (_, index) in self.by_route.values_mut() {
            if let Some(tuned) = index.tuned() {
                *index = tuned;
                has_tuned = true;
            }
        }
        has_tuned
    }
}

fn index(route: &Route, readers: &[Reader]) -> (Vec<usize>, Index) {
    let (mut places, mut keys) = (Vec::new(), Vec::new());
    for fill in &route.fills {
        for (place, reader) in readers.iter().enumerate().filter(|(_, reader)| reader.wanted == fill.wanted) {
            places.push(place);
            keys.push(reader.columns.iter().map(|column| fill.columns[*column]).collect::<Vec<u32>>());
        }
    }
    let prefilter = |place: &usize| &source(&readers[*place].detection).prefilter;
    let indexed = places.iter().zip(&keys).map(|(place, columns)| Indexed { prefilter: prefilter(place), columns });
    let index = Index::new(&indexed.collect::<Vec<_>>());
    (places, index)
}

/// An event as an index is told of it. The evaluator has the same, for itself.
struct EventRow<'r>(RoutedRow<'r>);

impl Row for EventRow<'_> {
    #[inline]
    fn value(&self, key: u32) -> Value<'_> {
        self.0.value(key)
    }

    #[inline]
    fn written(&self, key: u32) -> Option<Written<'_>> {
        self.0.written(key).map(|binding::Written { how, bytes }| Written { how, bytes })
    }

    #[inline]
    fn json(&self, key: u32) -> Option<Json<'_>> {
        self.0.json(key).map(|(text, plain)| Json { text, plain })
    }
}
