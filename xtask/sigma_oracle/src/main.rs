//! `rsigma-verdicts`: which Sigma rules the crate `rsigma-eval` fires on which events.
//!
//! Reads one JSON object per line from standard input, see [`question`], and prints one per verdict, `{"n", "id"}`,
//! without repetition, in the order of `n` and then of `id`. It decides nothing about streams: who asks says which
//! streams an event has, and which fields it has there.

mod question;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufRead as _, BufWriter, Write as _},
    path::PathBuf,
    time::Instant,
};

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;

use crate::{
    question::Question,
    rules::{Rules, Search},
};

/// Verdicts of rsigma-eval for events on standard input.
#[derive(Parser)]
struct Arguments {
    /// Files and folders of rules.
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// Where to write what was loaded and how long it took, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How to find the rules to evaluate for an event.
    #[arg(long, value_enum, default_value = "index")]
    search: Search,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let mut rules = Rules::load(&arguments.rules, arguments.search)?;
    let load_ms = start.elapsed().as_millis();

    let start = Instant::now();
    let (mut events, mut evaluations) = (0_u64, 0_u64);
    let mut verdicts = BTreeSet::new();
    for (at, line) in io::stdin().lock().lines().enumerate() {
        let line = line.context("cannot read standard input")?;
        let question: Question = serde_json::from_str(&line).with_context(|| format!("line {}", at + 1))?;
        events += 1;
        if let Some(id) = &question.rule {
            evaluations += 1;
            if rules.fires(id, &question.fields)? {
                verdicts.insert((question.n, id.clone()));
            }
        }
        for stream in &question.streams {
            evaluations += 1;
            let fields = stream.view(&question.fields);
            let fired = rules.evaluate(&stream.logsource(), &fields);
            verdicts.extend(fired.into_iter().map(|id| (question.n, id)));
        }
    }
    let evaluate_ms = start.elapsed().as_millis();

    let mut out = BufWriter::new(io::stdout().lock());
    for (n, id) in &verdicts {
        writeln!(out, "{}", json!({"n": n, "id": id}))?;
    }
    out.flush()?;
    if let Some(path) = arguments.report {
        let titles: BTreeMap<&String, Option<&str>> = verdicts.iter().map(|(_, id)| (id, rules.title(id))).collect();
        let report = json!({
            "files": rules.files, "rules": rules.count(), "refused": rules.refused, "load_ms": load_ms,
            "events": events, "evaluations": evaluations, "evaluate_ms": evaluate_ms, "titles": titles,
        });
        fs::write(&path, report.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
