//! Rules that are swapped while events flow: whether anything is lost, and what it costs.
//!
//! Events come through a pipe at half the speed that a run over the file has, once without swaps and once with them. The
//! swaps change rules in a way that does not change what they find, so every verdict must be there in both runs. How long
//! events take is measured for each block that was written, from the write to when what came of it was handed on.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs::{self, File},
    hash::{Hash as _, Hasher as _},
    io::{self, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use sandtrap_embed::{
    Engine, EngineLimits, LookbackMode, PrivateDir, StreamMap,
    evaluator::{Answer, Evaluator, Options as EvaluatorOptions, Paused, Pruning, Reporting, Unevaluated},
    formats::{input::ReadError, verdict::Verdict},
    rules::{Followed, Follower, RuleFiles, RuleSet, Selection, SiteFiles},
    run::{self, BadLines, Input, RunOptions, Sink},
    stream_map,
};
use serde_json::json;

use crate::{Loading, lane::rule_files};

/// How many events are written at once.
const BLOCK: usize = 128;

/// What is not counted of the beginning, in which instances are started and indexes learn.
const WARMING: Duration = Duration::from_secs(2);

/// How long nothing is done between two swaps.
const BETWEEN: Duration = Duration::from_millis(100);

/// How long a swap may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of how many swaps of one rule one is of a rule that does not compile.
const BAD_EVERY: usize = 20;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    loading: Loading,
    /// Events, NDJSON.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// How often one rule is swapped, a tenth of them, and all.
    #[arg(long, value_name = "NUMBER", value_delimiter = ',', default_value = "1000,50,10")]
    swaps: Vec<usize>,
    /// How many seconds events flow at least.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// What both runs need.
struct Bench {
    engine: Engine,
    streams: Arc<StreamMap>,
    /// The folder of rules, which are changed there.
    folder: PathBuf,
    placeholders: Vec<PathBuf>,
    /// The text of each rule file, and its path.
    rules: Vec<(PathBuf, String)>,
    lines: Vec<String>,
}

/// What came of a run.
#[derive(Default)]
struct Ran {
    events: u64,
    /// For each detection how many verdicts it gave, and all they say.
    verdicts: BTreeMap<String, (u64, u64)>,
    /// How long each block took.
    latencies: Vec<(Instant, Duration)>,
    resident: u64,
}

/// How long swaps took, from when the files were complete.
#[derive(Default)]
struct Swapped {
    one: Vec<Duration>,
    tenth: Vec<Duration>,
    all: Vec<Duration>,
    bad: usize,
    /// When those of one rule were over, those of a tenth, and all.
    ends: Vec<Instant>,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let scratch = std::env::temp_dir().join(format!("sandtrap-swaps-{}", std::process::id()));
    let measured = measure(options, &scratch);
    let _ = fs::remove_dir_all(&scratch);
    measured
}

fn measure(options: &Options, scratch: &Path) -> anyhow::Result<()> {
    let bench = Bench::new(options, scratch)?;
    let (mut evaluator, _, _) = bench.load()?;
    let most = bench.most(&mut evaluator, &options.events)?;
    let rate = most / 2.0;
    drop(evaluator);

    // The run with swaps says how many events are needed.
    let (set, files, evaluator) = bench.load().map(|(evaluator, set, files)| (set, files, evaluator))?;
    let least = (rate * options.seconds as f64) as u64;
    let (with, swapped) = bench.swapping(evaluator, &set, files, rate, least, &options.swaps)?;
    let (evaluator, _, _) = bench.load()?;
    let without = bench.flowing(evaluator, rate, &AtomicBool::new(true), with.events)?;

    let verdicts = |ran: &Ran| ran.verdicts.values().map(|(count, _)| count).sum::<u64>();
    let differing: Vec<&String> = without
        .verdicts
        .iter()
        .filter(|(id, said)| with.verdicts.get(*id) != Some(said))
        .map(|(id, _)| id)
        .chain(with.verdicts.keys().filter(|id| !without.verdicts.contains_key(*id)))
        .collect();
    let of = |ran: &Ran| ran.latencies.iter().map(|(_, took)| *took).collect::<Vec<_>>();
    let during = |phase: usize| {
        let is_in = |at: &Instant| swapped.ends.iter().filter(|end| *end < at).count() == phase;
        with.latencies.iter().filter(|(at, _)| is_in(at)).map(|(_, took)| *took).collect::<Vec<_>>()
    };
    let (one, tenth, all) = (during(0), during(1), during(2));
    println!(
        "{}",
        json!({
            "most_events_per_s": most,
            "events_per_s": rate,
            "events": [without.events, with.events],
            "verdicts": [verdicts(&without), verdicts(&with)],
            "differing": differing,
            "block_ms": { "without": spread(&of(&without)), "one": spread(&one), "tenth": spread(&tenth), "all": spread(&all) },
            "in_force_ms": { "one": spread(&swapped.one), "tenth": spread(&swapped.tenth), "all": spread(&swapped.all) },
            "bad": swapped.bad,
            "resident_mib": [without.resident >> 20, with.resident >> 20],
        })
    );
    ensure!(differing.is_empty(), "verdicts differ");
    ensure!(without.events == with.events, "events differ");
    Ok(())
}

impl Bench {
    fn new(options: &Options, scratch: &Path) -> anyhow::Result<Self> {
        let folder = scratch.join("rules");
        fs::create_dir_all(&folder)?;
        let mut rules = Vec::new();
        for (number, file) in rule_files(&options.loading.rules)?.iter().enumerate() {
            let text = fs::read_to_string(file)?;
            let path = folder.join(format!("{number:05}.yml"));
            fs::write(&path, &text)?;
            rules.push((path, text));
        }
        let limits = EngineLimits::default();
        let engine = match &options.loading.cache {
            Some(folder) => Engine::with_cache(limits, &PrivateDir::open(folder)?)?,
            None => Engine::new(limits)?,
        };
        let events = fs::read_to_string(&options.events)?;
        Ok(Self {
            engine,
            streams: Arc::new(stream_map(None).map_err(|error| anyhow!(error))?),
            folder,
            placeholders: options.loading.placeholders.clone(),
            rules,
            lines: events.lines().map(|line| format!("{line}\n")).collect(),
        })
    }

    fn load(&self) -> anyhow::Result<(Evaluator, RuleSet, RuleFiles)> {
        for (path, text) in &self.rules {
            if fs::read_to_string(path)? != *text {
                fs::write(path, text)?;
            }
        }
        let paths = [self.folder.clone()];
        let site = SiteFiles { rules: &paths, pipelines: &[], placeholders: &self.placeholders };
        let mut files = RuleFiles::new(&self.engine, &site, false, Selection::default()).that_may_change();
        let (set, _) = files.load(&|_| {}).map_err(|refused| anyhow!("{refused:?}"))?;
        let options = EvaluatorOptions {
            now: i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() / 100)?,
            lookback: LookbackMode::All,
            reporting: Reporting::AsTheyCome,
            pruning: Pruning::Index,
        };
        Ok((Evaluator::new(&set.rules, options)?, set, files))
    }

    /// How many events a second a run over the file does, warm.
    fn most(&self, evaluator: &mut Evaluator, events: &Path) -> anyhow::Result<f64> {
        let mut fastest = f64::INFINITY;
        for _ in 0..4 {
            let started = Instant::now();
            let mut sink = Blocks::default();
            let inputs = vec![Input::File(events.to_owned())];
            run::run(evaluator, &self.streams, inputs, run_options(), &AtomicBool::new(false), &mut sink)?;
            fastest = fastest.min(started.elapsed().as_secs_f64());
        }
        Ok(self.lines.len() as f64 / fastest)
    }

    /// Events flow until `enough` is set, and at least so many.
    fn flowing(&self, mut evaluator: Evaluator, rate: f64, enough: &AtomicBool, least: u64) -> anyhow::Result<Ran> {
        let pipe = self.folder.with_extension("pipe");
        let _ = fs::remove_file(&pipe);
        ensure!(Command::new("mkfifo").arg(&pipe).status()?.success(), "no pipe");
        let mut sink = Blocks::default();
        let written = thread::scope(|scope| {
            let writer = scope.spawn(|| self.write(&pipe, rate, enough, least));
            let inputs = vec![Input::File(pipe.clone())];
            let ran =
                run::run(&mut evaluator, &self.streams, inputs, run_options(), &AtomicBool::new(false), &mut sink);
            let written = writer.join().map_err(|_| anyhow!("the writer panicked"))?;
            let (written, events) = written?;
            ensure!(ran?.counts.events() == events, "events are lost");
            Ok((written, events))
        });
        let (written, events): (Vec<(u64, Instant)>, u64) = written?;
        let began = written.first().map_or_else(Instant::now, |(_, at)| *at);
        ensure!(sink.problems.is_empty(), "{}", sink.problems.join("; "));
        let mut handed_on = sink.handed_on.iter();
        let mut last = handed_on.next();
        let mut latencies = Vec::with_capacity(written.len());
        for (bytes, at) in written {
            while last.is_some_and(|(done, _)| *done < bytes) {
                last = handed_on.next();
            }
            let (_, done) = last.context("a block was not handed on")?;
            if at.saturating_duration_since(began) > WARMING {
                latencies.push((at, done.saturating_duration_since(at)));
            }
        }
        Ok(Ran { events, verdicts: sink.verdicts, latencies, resident: resident() })
    }

    /// Writes events at that rate. Says when each block was due, and how many bytes there were with it.
    fn write(
        &self,
        pipe: &Path,
        rate: f64,
        enough: &AtomicBool,
        least: u64,
    ) -> anyhow::Result<(Vec<(u64, Instant)>, u64)> {
        let mut pipe = File::options().write(true).open(pipe)?;
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, 1 << 20);
        let started = Instant::now();
        let (mut written, mut bytes, mut events) = (Vec::new(), 0, 0_u64);
        let mut lines = self.lines.iter().cycle();
        let mut block = Vec::new();
        while events < least || !enough.load(Ordering::Relaxed) {
            block.clear();
            lines.by_ref().take(BLOCK).for_each(|line| block.extend_from_slice(line.as_bytes()));
            let due = started + Duration::from_secs_f64(events as f64 / rate);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            pipe.write_all(&block)?;
            (bytes, events) = (bytes + block.len() as u64, events + BLOCK as u64);
            written.push((bytes, due));
        }
        Ok((written, events))
    }

    /// The same while rules are swapped.
    fn swapping(
        &self,
        evaluator: Evaluator,
        set: &RuleSet,
        files: RuleFiles,
        rate: f64,
        least: u64,
        swaps: &[usize],
    ) -> anyhow::Result<(Ran, Swapped)> {
        let mut follower = Follower::new(files, set, Arc::clone(evaluator.succession()))?;
        let (enough, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let (sender, followed) = channel();
        thread::scope(|scope| {
            let follow = || {
                let sender = sender;
                while !over.load(Ordering::Relaxed) {
                    if let Some(followed) = follower.follow(Duration::from_millis(20)) {
                        let _ = sender.send((followed, Instant::now()));
                    }
                }
            };
            scope.spawn(follow);
            let swap = || {
                let followed = followed;
                let swapped = self.swap(&followed, swaps);
                enough.store(true, Ordering::Relaxed);
                swapped
            };
            let swapper = scope.spawn(swap);
            let ran = self.flowing(evaluator, rate, &enough, least);
            let swapped = swapper.join().map_err(|_| anyhow!("the swapper panicked"));
            over.store(true, Ordering::Relaxed);
            Ok((ran?, swapped??))
        })
    }

    fn swap(&self, followed: &Receiver<(Followed, Instant)>, swaps: &[usize]) -> anyhow::Result<Swapped> {
        thread::sleep(WARMING * 2);
        while followed.try_recv().is_ok() {}
        let [one, tenth, all] = swaps else { bail!("three numbers of swaps") };
        let mut swapped = Swapped::default();
        let mut sizes: Vec<usize> = (0..self.rules.len()).collect();
        sizes.sort_by_key(|place| self.rules[*place].1.len());
        let median = [sizes[sizes.len() / 2]];
        let tenth_of: Vec<usize> = (0..self.rules.len()).step_by(10).collect();
        let mut version = 0;
        for number in 0..*one {
            if number % BAD_EVERY == BAD_EVERY - 1 {
                self.bad(followed)?;
                swapped.bad += 1;
            }
            swapped.one.push(self.change(&median, &mut version, followed)?);
        }
        swapped.ends.push(Instant::now());
        for _ in 0..*tenth {
            swapped.tenth.push(self.change(&tenth_of, &mut version, followed)?);
        }
        swapped.ends.push(Instant::now());
        let every: Vec<usize> = (0..self.rules.len()).collect();
        for _ in 0..*all {
            swapped.all.push(self.change(&every, &mut version, followed)?);
        }
        swapped.ends.push(Instant::now());
        Ok(swapped)
    }

    /// Gives rules another title. Says how long it took until all of that was in force.
    fn change(
        &self,
        places: &[usize],
        version: &mut u64,
        followed: &Receiver<(Followed, Instant)>,
    ) -> anyhow::Result<Duration> {
        *version += 1;
        // Swaps do not follow each other at once, or they would be all that the machine does.
        thread::sleep(BETWEEN);
        for place in places {
            let (path, text) = &self.rules[*place];
            let new = path.with_extension("new");
            fs::write(&new, text.replacen("title: ", &format!("title: {version} "), 1))?;
            fs::rename(&new, path)?;
        }
        let complete = Instant::now();
        let mut changed = 0;
        loop {
            match followed.recv_timeout(PATIENCE).context("nothing was noticed")? {
                (Followed::Same, _) => {}
                (Followed::InForce { difference, .. }, at) => {
                    changed += difference.changed;
                    if changed >= places.len() {
                        return Ok(at.saturating_duration_since(complete));
                    }
                }
                (other @ Followed::Kept { .. }, _) => bail!("{other:?}"),
            }
        }
    }

    /// A rule comes that does not compile, and goes.
    fn bad(&self, followed: &Receiver<(Followed, Instant)>) -> anyhow::Result<()> {
        let path = self.folder.join("bad.yml");
        fs::write(&path, "title: [")?;
        loop {
            match followed.recv_timeout(PATIENCE).context("nothing was noticed")?.0 {
                Followed::Same => {}
                Followed::Kept { .. } => break,
                other @ Followed::InForce { .. } => bail!("{other:?}"),
            }
        }
        fs::remove_file(&path)?;
        match followed.recv_timeout(PATIENCE).context("nothing was noticed")?.0 {
            Followed::Same => Ok(()),
            other => bail!("{other:?}"),
        }
    }
}

fn run_options() -> RunOptions {
    RunOptions {
        bad_lines: BadLines::Stop,
        interval: None,
        reporting: Reporting::AsTheyCome,
        workers: NonZeroUsize::MIN,
    }
}

/// Keeps what a run says.
#[derive(Default)]
struct Blocks {
    bytes: u64,
    /// How many bytes there were when what came of them was handed on. A taking's bytes are told before its verdicts.
    handed_on: Vec<(u64, Instant)>,
    verdicts: BTreeMap<String, (u64, u64)>,
    problems: Vec<String>,
}

impl Sink for Blocks {
    fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        let mut said = serde_json::to_value(verdict)?;
        // What the swaps change.
        for changed in ["title", "digest", "component"] {
            said.as_object_mut().map(|said| said.remove(changed));
        }
        let mut hasher = DefaultHasher::new();
        said.to_string().hash(&mut hasher);
        let (count, all) = self.verdicts.entry(verdict.detection.id.clone()).or_default();
        *count += 1;
        // The order counts.
        *all = all.rotate_left(1) ^ hasher.finish();
        Ok(())
    }

    fn answer(&mut self, _: &Answer) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        self.problems.push(format!("{}: {unevaluated}", unevaluated.detection));
    }

    fn paused(&mut self, paused: &Paused) {
        self.problems.push(paused.to_string());
    }

    fn bad_line(&mut self, error: &ReadError) {
        self.problems.push(error.to_string());
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        self.problems.push(format!("{input}: {error}"));
    }

    fn progress(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.handed_on.push((self.bytes, Instant::now()));
    }
}

/// Median, 99th percentile and most, in milliseconds.
fn spread(durations: &[Duration]) -> [f64; 3] {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| {
        let place = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(place).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
    };
    [at(0.5), at(0.99), at(1.0)]
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() << 10
}
