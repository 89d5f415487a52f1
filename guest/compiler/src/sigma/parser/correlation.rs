//! A correlation rule ("Sigma Correlation Rules Specification"), read and checked: the tree keeps what names and bounds it.

use super::{
    ast::{Correlation, CorrelationKind, ValueData},
    codes,
    metadata::{metadata, name, taxonomy},
    report::Report,
    scalar,
    section::Section,
};
use crate::{
    diagnostic::Span,
    suggest,
    yaml::{Data, Node},
};

/// The specification's, and `value_median`, which is pySigma's for a percentile of 50.
const KINDS: [CorrelationKind; 8] = [
    CorrelationKind::EventCount,
    CorrelationKind::ValueCount,
    CorrelationKind::Temporal,
    CorrelationKind::TemporalOrdered,
    CorrelationKind::ValueSum,
    CorrelationKind::ValueAvg,
    CorrelationKind::ValuePercentile,
    CorrelationKind::ValueMedian,
];

/// Units of a timespan in seconds ("Time Selection"); weeks are pySigma's. Months and years have no fixed length.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

const OPERATORS: [&str; 6] = ["gt", "gte", "lt", "lte", "eq", "neq"];

/// Reads what it can, so that everything that is wrong is said at once; `None` if a required part is missing.
pub(super) fn correlation(
    document: &Section,
    span: Span,
    default_id: &str,
    report: &mut Report,
) -> Option<Correlation> {
    let metadata = metadata(document, default_id, report);
    taxonomy(document, report);
    let section = document.under("correlation", report)?;
    let known = ["type", "rules", "aliases", "group-by", "timespan", "condition", "generate"];
    section.warn_of_others(&known, report);
    let kind = kind(&section, report);
    let rules = rules(&section, report);
    let group_by: Vec<_> = section.texts("group-by", report).into_iter().map(|(field, _)| field).collect();
    if group_by.is_empty() {
        let help = "add `group-by` with the fields whose values must be the same";
        report.warning(codes::UNGROUPED, &section.span, "events of all hosts and users are correlated together", help);
    }
    let timespan_seconds = timespan(&section, report);
    aliases(&section, &rules, report);
    for section in [document, &section] {
        check_generate(section, report);
    }
    let (kind, kind_span) = kind?;
    check_condition(&section, kind, &kind_span, report);
    Some(Correlation {
        metadata: metadata?,
        name: name(document, report),
        kind,
        rules,
        group_by,
        timespan_seconds: timespan_seconds?,
        kind_span,
        span,
    })
}

fn kind(section: &Section, report: &mut Report) -> Option<(CorrelationKind, Span)> {
    let (text, span) = section.required("type", report)?;
    let found = KINDS.into_iter().find(|kind| kind.name() == text);
    if found.is_none() {
        let names = KINDS.into_iter().map(CorrelationKind::name);
        let help = suggest::closest(&text, names.clone()).map_or_else(
            || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
            |found| format!("did you mean `{found}`?"),
        );
        report.error(codes::CORRELATION_TYPE, &span, format!("there is no correlation of type `{text}`"), help);
    }
    Some((found?, span))
}

/// `rules`: ids or names, at least one.
fn rules(section: &Section, report: &mut Report) -> Vec<String> {
    if section.get("rules").is_none() {
        section.missing("rules", report);
        return Vec::new();
    }
    let rules = section.texts("rules", report);
    if rules.iter().all(|(rule, _)| rule.is_empty()) {
        let help = "list the ids or names of the rules to correlate";
        report.error(codes::MISSING, &section.span, "`rules` is empty", help);
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

fn timespan(section: &Section, report: &mut Report) -> Option<u64> {
    let (text, span) = section.required("timespan", report)?;
    let seconds = text.chars().next_back().and_then(|unit| {
        let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let (_, seconds) = UNITS.iter().find(|(known, _)| *known == unit)?;
        digits.parse::<u64>().ok()?.checked_mul(*seconds).filter(|seconds| *seconds > 0)
    });
    if seconds.is_none() {
        let help = "write a whole number and s, m, h, d or w: `90m`";
        report.error(codes::TIMESPAN, &span, format!("`{text}` is no timespan"), help);
    }
    seconds
}

/// `aliases`: a name, and for each rule the field that has it there ("Field Name Aliases").
fn aliases(section: &Section, rules: &[String], report: &mut Report) {
    let Some((at, node)) = section.find("aliases") else { return };
    let help = "write `alias:`, and below it `rule name: field` for each rule";
    let Data::Mapping(aliases) = &node.data else {
        report.error(codes::ALIAS, &at.span, "`aliases` must be a mapping", help);
        return;
    };
    for (alias, fields) in aliases {
        let Data::Mapping(fields) = &fields.data else {
            report.error(codes::ALIAS, &alias.span, "an alias must be a mapping of rules to fields", help);
            continue;
        };
        for (rule, field) in fields {
            if field.scalar().is_none_or(str::is_empty) {
                report.error(codes::ALIAS, &rule.span, "an alias must have a field for each rule", help);
            }
            if let Some(name) = rule.scalar().filter(|name| !rules.iter().any(|rule| rule == name)) {
                let message = format!("`{name}` is not one of the `rules`");
                let help = suggest::closest(name, rules.iter().map(String::as_str))
                    .map_or_else(|| "add it there".to_owned(), |found| format!("did you mean `{found}`?"));
                report.error(codes::ALIAS, &rule.span, message, help);
            }
        }
    }
}

/// `generate`: whether the rules are detections of their own, too.
fn check_generate(section: &Section, report: &mut Report) {
    let Some(node) = section.get("generate") else { return };
    if !matches!(scalar::value(node).map(|value| value.data), Some(ValueData::Bool(_))) {
        let help = "write `generate: true` or leave it out";
        report.error(codes::KIND, &node.extent(), "`generate` must be true or false", help);
    }
}

/// `condition`: a map of comparisons, and of what is compared ("Condition").
fn check_condition(section: &Section, kind: CorrelationKind, kind_span: &Span, report: &mut Report) {
    let is_temporal = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let is_count = is_temporal || matches!(kind, CorrelationKind::EventCount | CorrelationKind::ValueCount);
    let wants_field = !is_temporal && kind != CorrelationKind::EventCount;
    let Some((at, node)) = section.find("condition") else {
        if !is_temporal {
            let help = "add one: `condition:` and below it `gte: 10`";
            report.error(codes::CORRELATION_CONDITION, kind_span, "a correlation of this type needs a condition", help);
        }
        return;
    };
    let Data::Mapping(entries) = &node.data else {
        let help = "write `condition:` and below it `gte: 10`; a condition over rules as text is not supported";
        report.error(codes::CORRELATION_CONDITION, &at.span, "the condition must be a mapping", help);
        return;
    };
    let condition = Section { name: "condition", entries, span: at.span.clone() };
    let operators: Vec<_> =
        entries.iter().filter(|(key, _)| key.scalar().is_some_and(|key| OPERATORS.contains(&key))).collect();
    if operators.is_empty() {
        let help = format!("add one of {}", OPERATORS.join(", "));
        report.error(codes::CORRELATION_CONDITION, &at.span, "the condition compares nothing", help);
    }
    for (key, value) in operators {
        check_bound(key, value, is_count, report);
    }
    match condition.find("field") {
        None if wants_field => {
            let help = "add `field:` with the field whose values are counted or calculated with";
            report.error(codes::CORRELATION_CONDITION, &at.span, "the condition names no field", help);
        }
        Some((key, _)) if !wants_field => {
            let help = "remove it, or use a type that looks at values, such as `value_count`";
            report.error(codes::CORRELATION_CONDITION, &key.span, "this type counts events and has no field", help);
        }
        Some((key, _)) => {
            let fields = condition.texts("field", report);
            if fields.is_empty() || (fields.len() > 1 && kind != CorrelationKind::ValueCount) {
                let help = "name one field; only `value_count` takes several";
                report.error(codes::CORRELATION_CONDITION, &key.span, "one field is wanted", help);
            }
        }
        None => {}
    }
    check_percentile(&condition, kind, report);
    let known: Vec<_> = OPERATORS.into_iter().chain(["field", "percentile"]).collect();
    condition.warn_of_others(&known, report);
}

fn check_bound(key: &Node, value: &Node, is_count: bool, report: &mut Report) {
    let is_right = match scalar::value(value).map(|value| value.data) {
        Some(ValueData::Integer(number)) => !is_count || number >= 0,
        Some(ValueData::Real(_)) => !is_count,
        _ => false,
    };
    if !is_right {
        let name = key.scalar().unwrap_or_default();
        let wanted = if is_count { "a whole number from 0 on" } else { "a number" };
        let span = if value.scalar().is_some() { &value.span } else { &key.span };
        report.error(codes::CORRELATION_CONDITION, span, format!("`{name}` wants {wanted}"), "correct the number");
    }
}

/// `percentile` is pySigma's: which one `value_percentile` compares.
fn check_percentile(condition: &Section, kind: CorrelationKind, report: &mut Report) {
    let Some((key, value)) = condition.find("percentile") else { return };
    let in_range = match scalar::value(value).map(|value| value.data) {
        Some(ValueData::Integer(number)) => (0..=100).contains(&number),
        Some(ValueData::Real(number)) => (0.0..=100.0).contains(&number),
        _ => false,
    };
    if kind != CorrelationKind::ValuePercentile {
        let message = "`percentile` is for correlations of type `value_percentile`";
        report.error(codes::CORRELATION_CONDITION, &key.span, message, "remove it, or change the type");
    } else if !in_range {
        let message = "`percentile` wants a number between 0 and 100";
        report.error(codes::CORRELATION_CONDITION, &key.span, message, "correct the number");
    }
}
