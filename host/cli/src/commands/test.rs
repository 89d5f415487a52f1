//! `sandtrap test`: each rule's own tests.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use anyhow::anyhow;
use sandtrap_embed::{
    rules::{Rule, Selection},
    stream_map,
    tests_of_rules::{TestOutcome, run_tests, test_file_of, unused_test_files},
};

use super::load;
use crate::{args::Test, diagnostics::clean, exit::Outcome};

/// What came of all tests.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Test files that could not be run, or that test nothing.
    unreadable: usize,
    /// Rules without tests.
    untested: usize,
}

pub(crate) fn run(args: &Test) -> anyhow::Result<Outcome> {
    let streams = Arc::new(stream_map(args.streams.as_deref()).map_err(|error| anyhow!(error))?);
    let (set, _) = load::rules(&load::engine()?, &args.rules, &args.compiling, Selection::default(), false)?;
    let mut out = io::stdout().lock();
    let mut tally = Tally::default();
    for rule in &set.rules {
        test_rule(rule, &streams, &mut tally, &mut out)?;
    }
    for file in unused_test_files(&args.rules) {
        tally.unreadable = tally.unreadable.saturating_add(1);
        let file = clean(&file.to_string_lossy());
        writeln!(out, "{file}: FAILED, no rule beside it has this name, or its other .test file is used")?;
    }
    writeln!(
        out,
        "{} tests passed, {} failed; {} rules, {} without tests, {} refused",
        tally.passed,
        tally.failed,
        set.rules.len().saturating_add(set.refused.len()),
        tally.untested,
        set.refused.len()
    )?;
    let fine = tally.failed == 0 && tally.unreadable == 0 && set.refused.is_empty() && !set.rules.is_empty();
    Ok(if fine { Outcome::Done } else { Outcome::RulesFailed })
}

fn test_rule(
    rule: &Rule,
    streams: &Arc<sandtrap_embed::StreamMap>,
    tally: &mut Tally,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let id = clean(rule.detection.full_id());
    let Some(file) = test_file_of(&rule.file) else {
        tally.untested = tally.untested.saturating_add(1);
        return writeln!(out, "{id}: no tests; they would be in {}", rule.file.with_extension("test.yaml").display());
    };
    match run_tests(rule, &file, streams) {
        Ok(outcomes) => {
            writeln!(out, "{id}")?;
            outcomes.iter().try_for_each(|outcome| show(outcome, &file.to_string_lossy(), tally, out))
        }
        Err(error) => {
            tally.unreadable = tally.unreadable.saturating_add(1);
            writeln!(out, "{id}: FAILED, {}: {}", file.display(), clean(&error.to_string()))
        }
    }
}

fn show(outcome: &TestOutcome, file: &str, tally: &mut Tally, out: &mut impl io::Write) -> io::Result<()> {
    let name = clean(&outcome.name);
    if outcome.passed() {
        tally.passed = tally.passed.saturating_add(1);
        return writeln!(out, "  ok      {name}");
    }
    tally.failed = tally.failed.saturating_add(1);
    writeln!(out, "  FAILED  {name} ({file}:{})", outcome.line)?;
    outcome.complaints.iter().try_for_each(|complaint| writeln!(out, "            {}", clean(complaint)))
}
