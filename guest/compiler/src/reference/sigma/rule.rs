//! Rules, filters and conditions ("Detection", "Condition", "Sigma Filters Specification").

use std::collections::BTreeMap;

use super::{event::Event, item};
use crate::{
    reference::ReferenceError,
    sigma::ast::{Condition, Detection, Filter, FilteredRules, Rule, Search},
};

/// What placeholders stand for: by name, without the percent characters ("Placeholders").
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// Whether the rule matches the event where these filters are in force.
pub fn matches(
    rule: &Rule,
    filters: &[Filter],
    placeholders: &Placeholders,
    event: Event<'_>,
) -> Result<bool, ReferenceError> {
    let mut holds = detection(&rule.detection, placeholders, event)?;
    for filter in filters.iter().filter(|filter| narrows(filter, rule)) {
        holds &= detection(&filter.detection, placeholders, event)?;
    }
    Ok(holds)
}

/// Whether the filter names the rule, and the rule's logsource is one of the filter's.
fn narrows(filter: &Filter, rule: &Rule) -> bool {
    let named = match &filter.rules {
        FilteredRules::Any => true,
        FilteredRules::Named(names) => {
            names.iter().any(|(name, _)| *name == rule.metadata.id || Some(name) == rule.name.as_ref())
        }
    };
    let covers = |filter: &Option<String>, rule: &Option<String>| filter.is_none() || filter == rule;
    named
        && covers(&filter.logsource.product, &rule.logsource.product)
        && covers(&filter.logsource.category, &rule.logsource.category)
        && covers(&filter.logsource.service, &rule.logsource.service)
}

/// Every search is evaluated, needed or not: what cannot be evaluated must not depend on the event.
fn detection(detection: &Detection, placeholders: &Placeholders, event: Event<'_>) -> Result<bool, ReferenceError> {
    let searches = detection.searches.iter().map(|named| search(&named.search, placeholders, event));
    let found = searches.collect::<Result<Vec<_>, _>>()?;
    Ok(detection.conditions.iter().any(|condition| holds(condition, &found)))
}

fn search(wanted: &Search, placeholders: &Placeholders, event: Event<'_>) -> Result<bool, ReferenceError> {
    let each = |searches: &[Search]| {
        searches.iter().map(|wanted| search(wanted, placeholders, event)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match wanted {
        Search::All(searches) => each(searches)?.into_iter().all(|found| found),
        Search::Any(searches) => each(searches)?.into_iter().any(|found| found),
        Search::Item(item) => item::holds(item, placeholders, event)?,
    })
}

fn holds(condition: &Condition, found: &[bool]) -> bool {
    let is_found = |index: &usize| found.get(*index).copied().unwrap_or(false);
    match condition {
        Condition::Or(conditions) => conditions.iter().any(|condition| holds(condition, found)),
        Condition::And(conditions) => conditions.iter().all(|condition| holds(condition, found)),
        Condition::Not(condition) => !holds(condition, found),
        Condition::Search { index, .. } => is_found(index),
        Condition::Of { all: true, searches, .. } => searches.iter().all(is_found),
        Condition::Of { all: false, searches, .. } => searches.iter().any(is_found),
    }
}
