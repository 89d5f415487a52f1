//! What a run did, in a few lines on standard error.

use std::{
    cmp::Reverse,
    io::{self, Write as _},
};

use comfy_table::{Cell, Table};
use sandtrap_embed::{
    LookbackMode,
    evaluator::Summary,
    rules::{Refusal, RuleSet},
    run::RunSummary,
    wit::manifest::Level,
};

use crate::{
    diagnostics::clean,
    table::{Frame, number, table},
};

/// How many kinds of events without a stream are named.
const KINDS_MAX: usize = 5;

/// Of so many detections at most, all are shown.
const DETECTIONS_MAX: usize = 20;

/// How many columns with values that did not convert are named.
const COLUMNS_MAX: usize = 5;

/// Shows what a run did.
pub(crate) fn show(run: &RunSummary, detections: &[Summary], set: &RuleSet, lookback: LookbackMode) {
    let mut lines = vec![events(run)];
    lines.extend(repaired(run));
    lines.extend(skipped(run));
    lines.extend(unrouted(run));
    lines.extend(unconverted(run));
    lines.push(of_detections(detections).trim_fmt());
    lines.extend(silent(detections));
    if set.left_out > 0 {
        lines.push(format!("{} rules were left out: they are not selected", set.left_out));
    }
    lines.extend(detections.iter().filter_map(not_evaluated));
    lines.extend(
        detections
            .iter()
            .filter(|detection| !detection.overflow.is_empty())
            .map(|detection| format!("{}: incomplete, {}", clean(&detection.detection.id), detection.overflow)),
    );
    if !set.refused.is_empty() {
        let broken = set.refused.iter().filter(|refused| matches!(refused.reason, Refusal::Source(_))).count();
        let others = set.refused.len().saturating_sub(broken);
        lines.push(format!(
            "{} rules did not run: {broken} do not compile, {others} cannot be loaded",
            set.refused.len()
        ));
    }
    let looks_back =
        set.rules.iter().any(|rule| {
            rule.detection.manifest().plan.nodes.iter().any(
                |node| matches!(node, sandtrap_embed::wit::plan::Node::Source(source) if source.lookback.is_some()),
            )
        });
    if looks_back && lookback == LookbackMode::All {
        lines.push("lookback: all events count, however old; `--lookback query` applies the queries' own".into());
    }
    // Nobody reads standard error: there is nowhere left to say so.
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

fn events(run: &RunSummary) -> String {
    let counts = &run.counts;
    let mut line = format!(
        "{} events read, {} bad lines, {} events without a stream",
        counts.events(),
        run.bad_lines,
        counts.unrouted()
    );
    if run.stopped {
        line.push_str("; stopped at the first bad line");
    }
    if run.failed_inputs > 0 {
        line.push_str("; not all inputs could be read");
    }
    line
}

fn repaired(run: &RunSummary) -> Option<String> {
    (run.repaired_lines > 0).then(|| {
        format!("  repaired lines: {}; what is no valid Unicode in them was read as U+FFFD", run.repaired_lines)
    })
}

fn skipped(run: &RunSummary) -> Option<String> {
    let named: Vec<String> = run
        .skipped
        .reasons()
        .map(|(reason, count, first)| format!("{count} x {} ({})", reason.text(), clean(&first.to_string_lossy())))
        .collect();
    (!named.is_empty()).then(|| format!("  files not read: {}", named.join("; ")))
}

fn unrouted(run: &RunSummary) -> Option<String> {
    let kinds = run.counts.unrouted_kinds();
    let named: Vec<String> = kinds
        .iter()
        .take(KINDS_MAX)
        .map(|(kind, events)| {
            let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { clean(text) };
            if kind.says.is_empty() {
                format!("{events} x channel {}, event {}", or_none(&kind.channel), or_none(&kind.event_id))
            } else {
                format!("{events} x {}", clean(&kind.says))
            }
        })
        .collect();
    (!named.is_empty()).then(|| format!("  without a stream: {}", named.join("; ")))
}

fn unconverted(run: &RunSummary) -> Option<String> {
    let named: Vec<String> = run
        .unconverted
        .iter()
        .take(COLUMNS_MAX)
        .map(|column| format!("{} x {}.{}", column.cells, column.stream, clean(&column.column.field.join("."))))
        .collect();
    (!named.is_empty())
        .then(|| format!("  values that do not fit their column's type, read as null: {}", named.join("; ")))
}

/// All detections; of many only those that found something.
fn of_detections(detections: &[Summary]) -> Table {
    let header = ["detection", "level", "stream", "events", "verdicts"].map(String::from);
    let mut table = table(Frame::None, header);
    let all = detections.len() <= DETECTIONS_MAX;
    for detection in detections.iter().filter(|detection| all || detection.counters.verdicts > 0) {
        table.add_row([
            Cell::new(clean(&detection.detection.id)),
            Cell::new(detection.detection.level.map_or("", Level::name)),
            Cell::new(detection.stream.as_deref().map_or_else(|| "its own rows".to_owned(), clean)),
            number(detection.counters.rows),
            number(detection.counters.verdicts),
        ]);
    }
    table
}

/// How many detections are not in the table.
fn silent(detections: &[Summary]) -> Option<String> {
    let silent = || detections.iter().filter(|detection| detection.counters.verdicts == 0);
    let without_events = silent().filter(|detection| detection.counters.rows == 0).count();
    (detections.len() > DETECTIONS_MAX)
        .then(|| format!("{} more detections found nothing, {without_events} of them saw no event", silent().count()))
}

/// Prints how many verdicts there are of each level, and of each detection that gave any, the gravest first.
pub(crate) fn print(detections: &[Summary]) -> io::Result<()> {
    let mut found: Vec<&Summary> = detections.iter().filter(|detection| detection.counters.verdicts > 0).collect();
    found.sort_by_key(|detection| Reverse((detection.detection.level, detection.counters.verdicts)));
    let mut levels = table(Frame::None, ["level", "detections", "verdicts"].map(String::from));
    for of_level in found.chunk_by(|one, other| one.detection.level == other.detection.level) {
        let verdicts = of_level.iter().fold(0_u64, |sum, found| sum.saturating_add(found.counters.verdicts));
        let level = of_level.first().and_then(|found| found.detection.level).map_or("none", Level::name);
        levels.add_row([Cell::new(level), number(of_level.len() as u64), number(verdicts)]);
    }
    let mut each = table(Frame::None, ["level", "verdicts", "detection", "title"].map(String::from));
    for Summary { detection, counters, .. } in found {
        each.add_row([
            Cell::new(detection.level.map_or("none", Level::name)),
            number(counters.verdicts),
            Cell::new(clean(&detection.id)),
            Cell::new(clean(&detection.title)),
        ]);
    }
    writeln!(io::stdout().lock(), "{}\n\n{}", levels.trim_fmt(), each.trim_fmt())
}

fn not_evaluated(detection: &Summary) -> Option<String> {
    let reason = detection.last_failure.as_ref()?;
    Some(format!(
        "{}: {} events not evaluated in {} failures, last: {}",
        clean(&detection.detection.id),
        detection.counters.unevaluated,
        detection.counters.failures,
        clean(reason)
    ))
}
