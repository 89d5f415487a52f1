//! Sets of rules that follow each other while events flow: every event is evaluated by exactly one set, and detections
//! that stay notice nothing.

use std::{
    fmt::Write as _,
    fs, io,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use sandtrap_embed::{
    Engine, EngineLimits, StreamMap,
    compiler::Options as CompilerOptions,
    evaluator::{Answer, Difference, Evaluator, Paused, Reporting, Succession, Unevaluated},
    rules::{RuleSet, Selection},
    run::{self, BadLines, Input, RunOptions, Sink},
};
use sandtrap_formats::{ndjson::ReadError, verdict::Verdict};

use crate::scene::AS_THEY_COME;

/// How many events there are, and after how many verdicts of a detection that matches all the next set is put in force.
const EVENTS: u64 = 120_000;
const EVERY: u64 = 8_000;

/// How many sets follow the first.
const SWAPS: u64 = 6;

/// Writes the rules of a generation.
fn write_rules(folder: &Path, generation: u64) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a rule");
    write("steady.kql", "DeviceNetworkEvents | where RemotePort % 1000 == 0 | project RemotePort");
    write("counting.kql", "DeviceNetworkEvents | summarize count() by DeviceName");
    let changing = format!("DeviceNetworkEvents | extend generation = {generation} | project RemotePort, generation");
    write("changing.kql", &changing);
    let names = ["leaving.kql", "coming.kql", "wider.kql"];
    for name in names {
        let _ = fs::remove_file(folder.join(name));
    }
    if generation == 0 {
        write("leaving.kql", "DeviceNetworkEvents | summarize count() by DeviceName");
    } else {
        write("coming.kql", "DeviceNetworkEvents | summarize count() by DeviceName");
    }
    if generation % 2 == 1 {
        // A column that no other rule reads.
        let wider = format!("DeviceNetworkEvents | where Protocol == 'p{generation}' | project RemotePort, Protocol");
        write("wider.kql", &wider);
    }
}

fn load(engine: &Engine, folder: &Path) -> RuleSet {
    let (options, selection) = (CompilerOptions::default(), Selection::default());
    let set = RuleSet::load(engine, &[folder.to_owned()], &options, &selection, &|_| {});
    assert!(set.refused.is_empty(), "{:?}", set.refused);
    set
}

/// Puts the next set in force when enough verdicts came, if it is to.
struct Swapping<'s> {
    engine: &'s Engine,
    folder: &'s Path,
    succession: Arc<Succession>,
    swaps: u64,
    changing: u64,
    generation: u64,
    verdicts: Vec<(String, serde_json::Value)>,
    differences: Vec<Difference>,
}

impl Sink for Swapping<'_> {
    fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let line = serde_json::to_value(verdict)?;
        let detection = line["detection"].as_str().unwrap_or_default().to_owned();
        self.changing += u64::from(detection.ends_with("/changing"));
        self.verdicts.push((detection, line));
        if self.changing >= EVERY * (self.generation + 1) && self.generation < self.swaps {
            self.generation += 1;
            write_rules(self.folder, self.generation);
            let successor = self.succession.prepare(&load(self.engine, self.folder).rules).map_err(io::Error::other)?;
            self.differences.push(successor.difference);
            self.succession.put_in_force(successor);
            self.succession.free_unused();
        }
        Ok(())
    }

    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        Err(io::Error::other(format!("{} has a table", answer.detection.id)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        panic!("{unevaluated}");
    }

    fn paused(&mut self, paused: &Paused) {
        panic!("{paused}");
    }

    fn bad_line(&mut self, error: &ReadError) {
        panic!("{error}");
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        panic!("{input}: {error}");
    }

    fn progress(&mut self, _: u64) {}
}

impl Swapping<'_> {
    /// The verdicts of a detection, in order.
    fn of(&self, detection: &str) -> Vec<&serde_json::Value> {
        let of_it = self.verdicts.iter().filter(|(id, _)| id.rsplit('/').next() == Some(detection));
        of_it.map(|(_, line)| line).collect()
    }

    /// How many events the groups of a detection count at its end.
    fn counted(&self, detection: &str) -> u64 {
        self.of(detection).iter().filter_map(|line| line["columns"]["count_"].as_u64()).sum()
    }
}

#[test]
fn every_event_is_evaluated_by_one_set_and_detections_that_stay_notice_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events.ndjson");
    let mut text = String::new();
    for port in 0..EVENTS {
        let (device, protocol) = (port % 3, port % 8);
        writeln!(
            text,
            r#"{{"Type":"DeviceNetworkEvents","DeviceName":"d{device}","RemotePort":{port},"Protocol":"p{protocol}"}}"#
        )
        .expect("room");
    }
    fs::write(&events, text).expect("a file");
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).expect("a folder");
    let engine = Engine::new(EngineLimits::default()).expect("an engine");
    let streams = Arc::new(StreamMap::built_in().expect("a sound map"));
    let mut steady = Vec::new();
    for (workers, swaps) in [(1, 0), (1, SWAPS), (2, SWAPS)] {
        write_rules(&rules, 0);
        let mut evaluator = Evaluator::new(&load(&engine, &rules).rules, AS_THEY_COME).expect("rules that can run");
        let mut sink = Swapping {
            engine: &engine,
            folder: &rules,
            succession: Arc::clone(evaluator.succession()),
            swaps,
            changing: 0,
            generation: 0,
            verdicts: Vec::new(),
            differences: Vec::new(),
        };
        let options = RunOptions {
            bad_lines: BadLines::Stop,
            interval: None,
            reporting: Reporting::AsTheyCome,
            workers: NonZeroUsize::new(workers).expect("some"),
        };
        let inputs = vec![Input::File(events.clone())];
        let ran = run::run(&mut evaluator, &streams, inputs, options, &AtomicBool::new(false), &mut sink);
        assert_eq!(ran.expect("a run").counts.events(), EVENTS);
        assert_eq!(sink.generation, swaps, "with {workers} workers");

        // Each event has exactly one verdict of whatever the rule was then, and once it changed it stays so.
        let changing = sink.of("changing");
        let ports: Vec<u64> = changing.iter().filter_map(|line| line["columns"]["RemotePort"].as_u64()).collect();
        assert!(ports.iter().copied().eq(0..EVENTS), "with {workers} workers");
        let generations = changing.iter().filter_map(|line| line["columns"]["generation"].as_u64());
        let generations: Vec<u64> = generations.collect();
        assert!(generations.is_sorted(), "with {workers} workers");
        assert_eq!(generations.last(), Some(&swaps), "with {workers} workers");

        // One is there until the other comes.
        assert_eq!(sink.counted("leaving") + sink.counted("coming"), EVENTS, "with {workers} workers");
        if swaps > 0 {
            let before = generations.iter().filter(|generation| **generation == 0).count() as u64;
            assert_eq!(sink.counted("leaving"), before, "with {workers} workers");
            let wider: Vec<(u64, &str)> = sink
                .of("wider")
                .iter()
                .filter_map(|line| {
                    Some((line["columns"]["RemotePort"].as_u64()?, line["columns"]["Protocol"].as_str()?))
                })
                .collect();
            let at = |port: u64| generations[usize::try_from(port).expect("few")];
            let expected = (0..EVENTS).filter(|port| at(*port) % 2 == 1 && port % 8 == at(*port));
            assert!(wider.iter().map(|(port, _)| *port).eq(expected), "with {workers} workers");
            let first = Difference { added: 2, removed: 1, changed: 1 };
            let (odd, even) =
                (Difference { added: 1, removed: 0, changed: 1 }, Difference { added: 0, removed: 1, changed: 1 });
            assert_eq!(sink.differences, [first, even, odd, even, odd, even]);
        }

        // Those that stay say the same to the byte, and have the same memory.
        assert_eq!(sink.counted("counting"), EVENTS, "with {workers} workers");
        let said: Vec<String> =
            ["steady", "counting"].iter().flat_map(|of| sink.of(of)).map(ToString::to_string).collect();
        if swaps == 0 {
            steady = said;
        } else {
            assert!(steady == said, "with {workers} workers");
        }
        let summaries = evaluator.summaries();
        let rows = |id: &str| {
            let of_it = summaries.iter().find(|summary| summary.detection.id.rsplit('/').next() == Some(id));
            of_it.map(|summary| (summary.counters.rows, summary.counters.unevaluated))
        };
        assert_eq!(rows("steady"), Some((EVENTS, 0)), "with {workers} workers");
        assert_eq!(rows("changing"), Some((EVENTS, 0)), "with {workers} workers");
        if swaps > 0 {
            assert_eq!(rows("leaving"), Some((sink.counted("leaving"), 0)), "what went is still in the summary");
            assert!(rows("coming").is_some_and(|(rows, _)| rows == sink.counted("coming")), "with {workers} workers");
        }
        if workers == 1 {
            assert!(evaluator.succession().free_unused(), "nobody needs the sets before any more");
        }
    }
}
