//! Mistakes in Sigma rules that compile: what [`compile`](crate::compile) has no reason to refuse, and an author would want
//! to know.
//!
//! The fields that events of a logsource have stand in `tables/sigma_fields.json`: for each stream their names in one
//! text. They are facts that `SigmaHQ` collects in `tests/logsource.json` and the Sysmon and Windows documentation. A
//! logsource that is not there has fields that nobody can list, and is not checked.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use sandtrap_wit::logsource::Logsource;

use super::{
    ast::{Condition, Detection, Document, Item, Modifier, Search, ValueData},
    parser::unused,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    suggest,
};

/// A field that events of the logsource do not have.
const UNKNOWN_FIELD: &str = "LNT0001";
/// A search identifier that no condition asks for.
const UNUSED_SEARCH: &str = "LNT0002";
/// A condition that no event can meet.
const NEVER: &str = "LNT0003";

/// Conditions over more search identifiers are not checked for whether they can hold: each doubles the work.
const SEARCHES_CHECKED_MAX: usize = 12;

static FIELDS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tables/sigma_fields.json")).unwrap_or_default());

/// What is odd about a rule or a filter: warnings, with spans of the file.
pub fn lint(document: &Document) -> Vec<Diagnostic> {
    let (logsource, detection) = match document {
        Document::Rule(rule) => (&rule.logsource, &rule.detection),
        Document::Filter(filter) => (&filter.logsource, &filter.detection),
        Document::Correlation(_) => return Vec::new(),
    };
    let mut found = Vec::new();
    unknown_fields(logsource, detection, &mut found);
    unused_searches(detection, &mut found);
    impossible_conditions(detection, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// The fields of a logsource; `None` where nobody can list them.
fn fields(logsource: &Logsource) -> Option<BTreeSet<&'static str>> {
    FIELDS.get(&logsource.to_string()).map(|fields| fields.split(' ').collect())
}

fn unknown_fields(logsource: &Logsource, detection: &Detection, found: &mut Vec<Diagnostic>) {
    let Some(fields) = fields(logsource) else { return };
    let mut items = Vec::new();
    detection.searches.iter().for_each(|identifier| collect_items(&identifier.search, &mut items));
    for (field, span) in items.into_iter().flat_map(fields_of).filter(|(field, _)| !fields.contains(field)) {
        let message = format!("events of {logsource} have no field `{field}`");
        let diagnostic = Diagnostic::warning(UNKNOWN_FIELD, span.clone(), message);
        found.push(match suggest::closest(field, fields.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help("without the field the item never holds, or always under `not`"),
        });
    }
}

/// The fields that an item reads, and where it says so.
fn fields_of(item: &Item) -> Vec<(&str, &Span)> {
    let is_of_fields = item.modifiers.iter().any(|modifier| modifier.modifier == Modifier::FieldRef);
    let referred = item.values.iter().filter(|_| is_of_fields).filter_map(|value| match &value.data {
        ValueData::Text(field) => Some((field.as_str(), &value.span)),
        _ => None,
    });
    item.field.as_deref().map(|field| (field, &item.span)).into_iter().chain(referred).collect()
}

fn collect_items<'r>(search: &'r Search, items: &mut Vec<&'r Item>) {
    match search {
        Search::All(inner) | Search::Any(inner) => inner.iter().for_each(|search| collect_items(search, items)),
        Search::Item(item) => items.push(item),
    }
}

fn unused_searches(detection: &Detection, found: &mut Vec<Diagnostic>) {
    for search in unused(detection) {
        let message = format!("no condition asks for `{}`", search.name);
        let help = "use it in the condition, or delete it";
        found.push(Diagnostic::warning(UNUSED_SEARCH, search.span.clone(), message).help(help));
    }
}

fn collect_used(condition: &Condition, used: &mut BTreeSet<usize>) {
    match condition {
        Condition::Or(operands) | Condition::And(operands) => {
            for operand in operands {
                collect_used(operand, used);
            }
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
            let help = "an identifier is wanted and excluded at once; is one of the two meant to be another?";
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

fn span_of(condition: &Condition, wanted: usize) -> Option<Span> {
    match condition {
        Condition::Or(operands) | Condition::And(operands) => {
            operands.iter().find_map(|operand| span_of(operand, wanted))
        }
        Condition::Not(operand) => span_of(operand, wanted),
        Condition::Search { index, span } => (*index == wanted).then(|| span.clone()),
        Condition::Of { searches, span, .. } => searches.contains(&wanted).then(|| span.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::parse;

    /// The code, the place and the help of what is odd about a rule with this logsource and detection.
    fn linted(logsource: &str, detection: &str) -> Vec<(&'static str, String, String)> {
        let text = format!("title: T\nid: t\nlogsource: {{{logsource}}}\ndetection:\n{detection}");
        odd(&text)
    }

    fn odd(text: &str) -> Vec<(&'static str, String, String)> {
        let parsed = parse(text, "t.yml");
        assert_eq!(parsed.diagnostics, [], "{text}");
        let found = parsed.documents.iter().flat_map(lint);
        found.map(|found| (found.code, text[found.span].to_owned(), found.help.unwrap_or_default())).collect()
    }

    #[test]
    fn fields_that_events_do_not_have_are_named_with_the_closest_one() {
        const PROCESSES: &str = "category: process_creation, product: windows";
        for (logsource, search, expected) in [
            (PROCESSES, "Image|endswith: a", None),
            (PROCESSES, "Imagge|endswith: a", Some(("Imagge|endswith", "did you mean `Image`?"))),
            (PROCESSES, "image: a", Some(("image", "did you mean `Image`?"))),
            (PROCESSES, "Zzz: a", Some(("Zzz", "never holds, or always under `not`"))),
            (PROCESSES, "Image|fieldref: ParentImage", None),
            (PROCESSES, "Image|fieldref: ParentImag", Some(("ParentImag", "did you mean `ParentImage`?"))),
            (PROCESSES, "Image: ParentImag", None),
            ("product: nobody_knows", "Imagge: a", None),
        ] {
            let found = linted(logsource, &format!("  selection:\n    {search}\n  condition: selection\n"));
            match expected {
                None => assert_eq!(found, [], "{search}"),
                Some((place, help)) => {
                    let [(code, at, advice)] = found.as_slice() else { panic!("{search}: {found:?}") };
                    assert_eq!((*code, at.as_str()), (UNKNOWN_FIELD, place), "{search}");
                    assert!(advice.contains(help), "{search}: {advice}");
                }
            }
        }
    }

    #[test]
    fn searches_that_no_condition_asks_for_are_named() {
        for (condition, expected) in [
            ("a", &["b", "_c"][..]),
            ("a and not b", &["_c"]),
            ("1 of them", &["_c"]),
            ("1 of _*", &["a", "b"]),
            ("[a, b or _c]", &[]),
        ] {
            let found = linted(
                "product: p",
                &format!("  a: {{x: 1}}\n  b: {{x: 2}}\n  _c: {{x: 3}}\n  condition: {condition}\n"),
            );
            let places: Vec<_> = found.iter().map(|(code, place, _)| (*code, place.as_str())).collect();
            let expected: Vec<_> = expected.iter().map(|place| (UNUSED_SEARCH, *place)).collect();
            assert_eq!(places, expected, "{condition}");
        }
    }

    #[test]
    fn conditions_that_nothing_can_meet_are_found() {
        for (condition, is_odd) in [
            ("a and b", false),
            ("a and not a and b", true),
            ("a and not (a or b)", true),
            ("all of them and not b", true),
            ("1 of them and not b", false),
            ("not 1 of them", false),
            ("(a or b) and not 1 of them", true),
            ("[a and not a, b]", true),
            ("(a and not a) or b", false),
        ] {
            let found = linted("product: p", &format!("  a: {{x: 1}}\n  b: {{x: 2}}\n  condition: {condition}\n"));
            let found: Vec<_> = found.iter().map(|(code, ..)| *code).collect();
            assert_eq!(found, if is_odd { vec![NEVER] } else { Vec::new() }, "{condition}");
        }
    }

    #[test]
    fn filters_are_looked_at_as_rules_are() {
        let filter = "title: F\nlogsource: {category: process_creation, product: windows}\nfilter:\n  rules: any\n  \
                      selection: {Usr: a}\n  other: {User: b}\n  condition: not selection\n";
        let codes: Vec<_> = odd(filter).into_iter().map(|(code, ..)| code).collect();
        assert_eq!(codes, [UNKNOWN_FIELD, UNUSED_SEARCH]);
    }
}
