//! `sandtrap run`: rules over events, verdicts to standard output.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, anyhow, bail};
use sandtrap_embed::formats::convert::parse_datetime;
use sandtrap_embed::{
    LookbackMode,
    evaluator::{Evaluator, Options, Pruning, Reporting},
    rules::Selection,
    run::{self, BadLines, Input, RunOptions},
    stream_map,
    wit::manifest,
};

use super::{follow::Following, load};
use crate::{
    args::{Level, Lookback, Run, RunFormat, Status, Switch},
    diagnostics,
    exit::{Outcome, UsageError},
    output::Output,
    profile,
    progress::Progress,
    summary,
};

/// The exit code after a second interrupt, as a shell has it: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

pub(crate) fn run(args: &Run) -> anyhow::Result<Outcome> {
    let inputs = inputs(args)?;
    let options = options(args)?;
    let streams = Arc::new(stream_map(args.streams.as_deref()).map_err(|error| anyhow!(error))?);
    let engine = load::cached_engine(&args.cache)?;
    let (set, files) = load::rules(&engine, &args.rules, &args.compiling, selection(args), args.watch)?;
    if set.rules.is_empty() {
        bail!("no rule can run");
    }
    let mut evaluator = Evaluator::new(&set.rules, options).context("a rule cannot be run")?;
    let run_options = RunOptions {
        bad_lines: if args.strict { BadLines::Stop } else { BadLines::Skip },
        interval: args.interval.map(Duration::from_secs),
        reporting: options.reporting,
        workers: NonZeroUsize::new(args.workers.into()).unwrap_or(NonZeroUsize::MIN),
    };
    let bytes = inputs.iter().map(Input::bytes).sum();
    let mut output = Output::new(Progress::of_bytes(bytes), args.format);
    let stop = stop_on_signal()?;
    let following = if args.watch { Some(Following::start(files, &set, &evaluator)?) } else { None };
    let ran = run::run(&mut evaluator, &streams, inputs, run_options, &stop, &mut output);
    drop(following);
    output.finish();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) if error.is_broken_pipe() => return Ok(Outcome::Done),
        Err(error) => return Err(error.into()),
    };
    let detections = evaluator.summaries();
    if args.format == RunFormat::Summary {
        summary::print(&detections)?;
    }
    summary::show(&ran, &detections, &set, options.lookback);
    if let Some(problem) = engine.cache_problem() {
        diagnostics::note(&format!("{problem}; machine code is made again next time"));
    }
    if args.profile {
        profile::show(evaluator.stages(), ran.counts.events(), &detections);
    }
    let failed = !set.refused.is_empty() || detections.iter().any(|detection| detection.counters.failures > 0);
    Ok(if ran.stopped || ran.failed_inputs > 0 {
        Outcome::InputFailed
    } else if failed {
        Outcome::RulesFailed
    } else {
        Outcome::Done
    })
}

/// A flag that the first interrupt or termination sets: what was read is still evaluated and summed up. The second one
/// ends the program at once.
fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("signals cannot be handled")?;
    Ok(stop)
}

fn inputs(args: &Run) -> anyhow::Result<Vec<Input>> {
    let is_stdin = |path: &Path| path == Path::new("-");
    if args.events.iter().filter(|path| is_stdin(path)).count() > 1 {
        bail!(UsageError("standard input can be read only once, but `--events -` is there twice".into()));
    }
    let input = |path: &std::path::PathBuf| if is_stdin(path) { Input::Stdin } else { Input::File(path.clone()) };
    Ok(args.events.iter().map(input).collect())
}

fn selection(args: &Run) -> Selection {
    let level = |level: Level| match level {
        Level::Informational => manifest::Level::Informational,
        Level::Low => manifest::Level::Low,
        Level::Medium => manifest::Level::Medium,
        Level::High => manifest::Level::High,
        Level::Critical => manifest::Level::Critical,
    };
    let status = |status: &Status| match status {
        Status::Stable => manifest::Status::Stable,
        Status::Test => manifest::Status::Test,
        Status::Experimental => manifest::Status::Experimental,
        Status::Deprecated => manifest::Status::Deprecated,
        Status::Unsupported => manifest::Status::Unsupported,
    };
    Selection {
        level: args.level.map(level),
        statuses: args.status.iter().map(status).collect(),
        tags: args.tag.clone(),
        excluded_ids: args.exclude_id.iter().cloned().collect(),
    }
}

fn options(args: &Run) -> anyhow::Result<Options> {
    let now = match &args.now {
        Some(text) => parse_datetime(text).ok_or_else(|| {
            UsageError(format!("--now is `{text}`; expected an ISO 8601 datetime such as 2024-05-01T12:00:00Z"))
        })?,
        None => clock()?,
    };
    Ok(Options {
        now,
        lookback: match args.lookback {
            Lookback::All => LookbackMode::All,
            Lookback::Query => LookbackMode::Query,
        },
        reporting: match args.format {
            RunFormat::Json | RunFormat::Summary => Reporting::AsTheyCome,
            RunFormat::Table => Reporting::Tables,
        },
        pruning: match args.index {
            Switch::On => Pruning::Index,
            Switch::Off => Pruning::EachPrefilter,
        },
    })
}

/// The clock's time in ticks of 100 ns.
fn clock() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    i64::try_from(since.as_nanos() / 100).context("the clock is far in the future")
}
