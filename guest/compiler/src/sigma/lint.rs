//! Mistakes in Sigma rules that compile: what [`compile`](crate::compile) has no reason to refuse, and an author would want
//! to know.
//!
//! The fields that events of a logsource have stand in `tables/sigma_fields.json`: for each stream their names in one
//! text. They are facts that SigmaHQ collects in `tests/logsource.json` and the Sysmon and Windows documentation. A
//! logsource that is not there has fields that nobody can list, and is not checked.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use sandtrap_wit::logsource::Logsource;

use super::ast::{Condition, Detection, Item, Rule, Search};
use crate::{diagnostic::Diagnostic, suggest};

/// A field that events of the logsource do not have.
const UNKNOWN_FIELD: &str = "LNT0001";
/// A search identifier that no condition asks for.
const UNUSED_SEARCH: &str = "LNT0002";
/// A condition that no event can meet.
const NEVER: &str = "LNT0003";

/// Conditions over more search identifiers are not checked for whether they can hold: each doubles the work.
const SEARCHES_CHECKED_MAX: usize = 16;

static FIELDS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tables/sigma_fields.json")).unwrap_or_default());

/// What is odd about a rule: warnings, with spans of the file.
pub fn lint(rule: &Rule) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    unknown_fields(rule, &mut found);
    unused_searches(&rule.detection, &mut found);
    impossible_conditions(&rule.detection, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// The fields of a logsource; `None` where nobody can list them.
fn fields(logsource: &Logsource) -> Option<BTreeSet<&'static str>> {
    FIELDS.get(&logsource.to_string()).map(|fields| fields.split(' ').collect())
}

fn unknown_fields(rule: &Rule, found: &mut Vec<Diagnostic>) {
    let Some(fields) = fields(&rule.logsource) else { return };
    let mut items = Vec::new();
    rule.detection.searches.iter().for_each(|identifier| collect_items(&identifier.search, &mut items));
    for item in items {
        let Some(field) = item.field.as_deref().filter(|field| !fields.contains(field)) else { continue };
        let message = format!("events of {} have no field `{field}`", rule.logsource);
        let diagnostic = Diagnostic::warning(UNKNOWN_FIELD, item.span.clone(), message);
        found.push(match suggest::closest(field, fields.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("without the field the item never holds, or always under `not`"),
        });
    }
}

fn collect_items<'r>(search: &'r Search, items: &mut Vec<&'r Item>) {
    match search {
        Search::All(inner) | Search::Any(inner) => inner.iter().for_each(|search| collect_items(search, items)),
        Search::Item(item) => items.push(item),
    }
}

fn unused_searches(detection: &Detection, found: &mut Vec<Diagnostic>) {
    let mut used = BTreeSet::new();
    detection.conditions.iter().for_each(|condition| collect_used(condition, &mut used));
    for (index, search) in detection.searches.iter().enumerate() {
        if !used.contains(&index) {
            let message = format!("no condition asks for `{}`", search.name);
            let help = "use it in the condition, or delete it";
            found.push(Diagnostic::warning(UNUSED_SEARCH, search.span.clone(), message).help(help));
        }
    }
}

fn collect_used(condition: &Condition, used: &mut BTreeSet<usize>) {
    match condition {
        Condition::Or(operands) | Condition::And(operands) => {
            operands.iter().for_each(|operand| collect_used(operand, used));
        }
        Condition::Not(operand) => collect_used(operand, used),
        Condition::Search { index, .. } => {
            used.insert(*index);
        }
        Condition::Of { searches, .. } => used.extend(searches),
    }
}

/// Tries every outcome that the search identifiers of a condition can have. Identifiers are taken to be independent, so
/// that what is reported is certain, and what contradicts itself only by its values is not found.
fn impossible_conditions(detection: &Detection, found: &mut Vec<Diagnostic>) {
    for condition in &detection.conditions {
        let mut used = BTreeSet::new();
        collect_used(condition, &mut used);
        if used.len() > SEARCHES_CHECKED_MAX {
            continue;
        }
        let places: HashMap<usize, usize> = used.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let can_hold = (0_u32..1 << used.len()).any(|outcome| {
            holds(condition, &|index| places.get(&index).is_some_and(|place| outcome >> place & 1 == 1))
        });
        if !can_hold {
            let span = used.iter().find_map(|index| span_of(condition, *index)).unwrap_or_default();
            let help = "an identifier is wanted and excluded at once; is one of the two another?";
            found.push(Diagnostic::warning(NEVER, span, "no event can meet this condition").help(help));
        }
    }
}

fn holds(condition: &Condition, outcome: &impl Fn(usize) -> bool) -> bool {
    match condition {
        Condition::Or(operands) => operands.iter().any(|operand| holds(operand, outcome)),
        Condition::And(operands) => operands.iter().all(|operand| holds(operand, outcome)),
        Condition::Not(operand) => !holds(operand, outcome),
        Condition::Search { index, .. } => outcome(*index),
        Condition::Of { all: true, searches, .. } => searches.iter().all(|index| outcome(*index)),
        Condition::Of { all: false, searches, .. } => searches.iter().any(|index| outcome(*index)),
    }
}

fn span_of(condition: &Condition, wanted: usize) -> Option<crate::diagnostic::Span> {
    match condition {
        Condition::Or(operands) | Condition::And(operands) => {
            operands.iter().find_map(|operand| span_of(operand, wanted))
        }
        Condition::Not(operand) => span_of(operand, wanted),
        Condition::Search { index, span } => (*index == wanted).then(|| span.clone()),
        Condition::Of { searches, span, .. } => searches.contains(&wanted).then(|| span.clone()),
    }
}
