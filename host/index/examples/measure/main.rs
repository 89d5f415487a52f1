//! What the index costs: real events, and the prefilters of real rules with variants of them.
//!
//! ```console
//! $ cargo run --release -p sandtrap-index --example measure -- EVENTS.ndjson RULES... [--variants N] [--check] [--routes]
//! ```
//!
//! Events are bound first and brought into the cache in blocks before they are looked at, so that what is timed is the
//! index. Events that fill the same streams have a route, and each route an index. Each variant of a rule differs in
//! one character of each literal. `--check` compares some rows with `Prefilter::admits_values`, `--routes` shows each
//! route. Times are wall time: the fastest of several passes says most on a busy machine.

mod corpus;
mod routes;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use corpus::Corpus;
use routes::{Event, Route};
use sandtrap_index::{Index, Indexed, Scratch};
use sandtrap_wit::prefilter::{Prefilter, Value};

/// How often all events are looked at.
const PASSES: usize = 8;

/// Events that are brought into the cache together, and as many as an index is tuned after.
const BLOCK: usize = 64;
/// See [`BLOCK`].
const BLOCKS_PER_ROUND: usize = 32;

/// Of how many events `--check` looks at one.
const CHECKED: usize = 37;

fn main() -> ExitCode {
    let mut paths: Vec<PathBuf> = Vec::new();
    let (mut variants, mut check, mut routes) = (0, false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--routes" => routes = true,
            "--variants" => variants = arguments.next().and_then(|number| number.parse().ok()).unwrap_or_default(),
            path => paths.push(path.into()),
        }
    }
    let [events, rules @ ..] = paths.as_slice() else {
        eprintln!("name a file of events and folders of Sigma rules");
        return ExitCode::FAILURE;
    };
    let corpus = Corpus::compile(rules);
    let bound = match routes::bind(events, &corpus) {
        Ok(bound) => bound,
        Err(error) => {
            eprintln!("{}: {error}", events.display());
            return ExitCode::FAILURE;
        }
    };
    let prefilters: Vec<Vec<Prefilter>> = (0..=variants).map(|number| corpus.variant(number)).collect();
    let detections: Vec<Vec<Indexed<'_>>> = bound.routes.iter().map(|route| of_route(route, &prefilters)).collect();
    let begun = Instant::now();
    let mut indexes: Vec<Index> = detections.iter().map(|detections| Index::new(detections)).collect();
    println!("{} events, {} routes, {} rules", bound.events.len(), indexes.len(), corpus.len() * prefilters.len());
    println!("built in {:?}, {} KiB", begun.elapsed(), kib(&indexes));
    for pass in 0..PASSES {
        let measured = measure(&bound.events, &mut indexes);
        println!(
            "pass {pass}: {} ns/event, {} candidates for 1,000 events, tuned in {:?}, {} KiB",
            per(measured.looking, bound.events.len()),
            measured.candidates * 1_000 / bound.events.len().max(1),
            measured.tuning,
            kib(&indexes),
        );
    }
    if routes {
        for ((number, route), index) in bound.routes.iter().enumerate().zip(&mut indexes) {
            let events: Vec<&Event> = bound.events.iter().filter(|event| event.route == number).collect();
            show(route, &events, index);
        }
    }
    if check && !agrees(&bound.events, &indexes, &detections) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The detections of a route: those of the rules, then those of each variant.
fn of_route<'a>(route: &'a Route, prefilters: &'a [Vec<Prefilter>]) -> Vec<Indexed<'a>> {
    let of = |prefilters: &'a Vec<Prefilter>| {
        let detections = route.detections.iter();
        detections.filter_map(|(rule, columns)| Some(Indexed { prefilter: prefilters.get(*rule)?, columns }))
    };
    prefilters.iter().flat_map(of).collect()
}

/// What one pass over all events took.
struct Measured {
    looking: Duration,
    tuning: Duration,
    candidates: usize,
}

fn measure(events: &[Event], indexes: &mut [Index]) -> Measured {
    let mut measured = Measured { looking: Duration::ZERO, tuning: Duration::ZERO, candidates: 0 };
    let (mut scratch, mut found) = (Scratch::default(), Vec::new());
    for round in events.chunks(BLOCK * BLOCKS_PER_ROUND) {
        for block in round.chunks(BLOCK) {
            std::hint::black_box(block.iter().map(Event::touch).fold(0, u64::wrapping_add));
            let begun = Instant::now();
            for event in block {
                if let Some(index) = indexes.get(event.route) {
                    found.clear();
                    index.candidates(event, &mut scratch, &mut found);
                    measured.candidates += found.len();
                }
            }
            measured.looking += begun.elapsed();
        }
        let begun = Instant::now();
        for index in &mut *indexes {
            if let Some(tuned) = index.tuned() {
                *index = tuned;
            }
        }
        measured.tuning += begun.elapsed();
    }
    measured
}

/// A route by itself: fastest of the passes.
fn show(route: &Route, events: &[&Event], index: &Index) {
    let (mut scratch, mut found) = (Scratch::default(), Vec::new());
    let mut fastest = Duration::MAX;
    for _ in 0..PASSES {
        let mut looking = Duration::ZERO;
        for block in events.chunks(BLOCK) {
            std::hint::black_box(block.iter().map(|event| event.touch()).fold(0, u64::wrapping_add));
            let begun = Instant::now();
            for event in block {
                found.clear();
                index.candidates(*event, &mut scratch, &mut found);
            }
            looking += begun.elapsed();
        }
        fastest = fastest.min(looking);
    }
    println!(
        "{}: {} events, {} rules, {} ns",
        route.name,
        events.len(),
        route.detections.len(),
        per(fastest, events.len())
    );
    for watched in index.watched() {
        let key = route.keys.get(watched.key as usize).map_or("", String::as_str);
        let stride = watched.stride.map_or_else(String::new, |stride| format!(", every {stride}. byte"));
        println!("    {key}: {} atoms{stride}", watched.atoms);
    }
}

/// Whether the indexes say what prefilters say, of some events.
fn agrees(events: &[Event], indexes: &[Index], detections: &[Vec<Indexed<'_>>]) -> bool {
    let (mut scratch, mut found) = (Scratch::default(), Vec::new());
    let mut wrong = 0;
    for event in events.iter().step_by(CHECKED) {
        let (Some(index), Some(each)) = (indexes.get(event.route), detections.get(event.route)) else { continue };
        found.clear();
        index.candidates(event, &mut scratch, &mut found);
        let value = |one: &Indexed<'_>, column: u32| match one.columns.get(column as usize) {
            Some(key) => sandtrap_index::Row::value(event, *key),
            None => Value::Null,
        };
        let admits =
            |one: &Indexed<'_>| !one.prefilter.is_always() && one.prefilter.admits_values(|column| value(one, column));
        let expected = (0..).zip(each).filter(|(_, one)| admits(one)).map(|(number, _)| number);
        wrong += usize::from(!expected.eq(found.iter().copied()));
    }
    println!("{wrong} of {} events differ", events.len().div_ceil(CHECKED));
    wrong == 0
}

fn per(duration: Duration, events: usize) -> u128 {
    duration.as_nanos() / events.max(1) as u128
}

fn kib(indexes: &[Index]) -> usize {
    indexes.iter().map(Index::bytes).sum::<usize>() / 1024
}
