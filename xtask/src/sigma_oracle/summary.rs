//! What rsigma did, as JSON for people and for later comparison.

use serde_json::{Map, Value, json};

use super::{Verdicts, rsigma::Report};

/// How many of the rules that fire most are named.
const TOP: usize = 30;

/// The summary: verdicts, rules that fired, the rules with most events and their share of all events, and times.
pub(super) fn of(verdicts: &Verdicts, report: &Report, events: usize) -> Value {
    let mut rules: Vec<(&String, usize)> = verdicts.0.iter().map(|(rule, events)| (rule, events.len())).collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    let share = |count: usize| Value::from(format!("{:.3} %", percent(count, events)));
    let row = |(rule, count): &(&String, usize)| {
        let title = report.titles.get(*rule);
        json!({"events": count, "share": share(*count), "rule": rule, "title": title})
    };
    let top = rules.iter().take(TOP).map(row);
    let counts: Map<String, Value> = rules.iter().map(|(rule, count)| ((*rule).clone(), Value::from(*count))).collect();
    json!({
        "engine": "rsigma-eval 0.23.0",
        "files": report.files,
        "rules": report.rules,
        "refused": report.refused,
        "load_ms": report.load_ms,
        "events": events,
        "events_in_a_stream": report.events,
        "evaluations": report.evaluations,
        "evaluate_ms": report.evaluate_ms,
        "events_per_second": report.events.saturating_mul(1000).checked_div(report.evaluate_ms),
        "verdicts": verdicts.len(),
        "rules_that_fired": rules.len(),
        "top": top.collect::<Vec<_>>(),
        "verdicts_of_rule": counts,
    })
}

/// Prints a summary, in a few lines.
pub(super) fn print(summary: &Value) {
    println!(
        "{}: {} of {} rules refused, {} events, {} verdicts of {} rules, {} events/s on one core",
        text(&summary["engine"]),
        summary["refused"].as_array().map_or(0, Vec::len),
        summary["rules"],
        summary["events"],
        summary["verdicts"],
        summary["rules_that_fired"],
        summary["events_per_second"],
    );
    for row in summary["top"].as_array().into_iter().flatten() {
        println!("  {:>6} {:>9} {} {}", row["events"], text(&row["share"]), text(&row["rule"]), text(&row["title"]));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a share in per cent with three digits")]
fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}
