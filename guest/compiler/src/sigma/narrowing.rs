//! How a Sigma filter narrows a Sigma rule: by its searches and its condition, added to the rule's own.
//!
//! "Sigma Filters Specification" says that a filter is added to the rules it refers to, and that its condition is as it is
//! written: a filter that drops events says `not selection`. pySigma and rsigma do the same: rule *and* filter.

use super::{
    ast::{Condition, Detection, Filter, Item, Rule, Search},
    size::Size,
};
use crate::diagnostic::Span;

impl Filter {
    /// What to call the filter: its id, else its title.
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.title)
    }
}

/// So many filters may narrow one rule.
pub(crate) const FILTERS_MAX: usize = 512;

/// A rule that filters narrow.
pub(crate) struct Narrowing {
    filters: usize,
    size: Size,
}

impl Narrowing {
    /// Before any filter.
    pub(crate) fn of(rule: &Rule) -> Self {
        Self { filters: 0, size: Size::of(&rule.detection) }
    }

    /// Adds a filter to the rule; the error says, for people, why it cannot be added.
    pub(crate) fn add(&mut self, rule: &mut Rule, filter: &Filter) -> Result<(), String> {
        if self.filters == FILTERS_MAX {
            return Err(format!("it has {FILTERS_MAX} filters already"));
        }
        self.filters = self.filters.saturating_add(1);
        self.size.add(Size::of(&filter.detection));
        self.size.check().map_err(|too_large| format!("together they have {too_large}"))?;
        join(rule, filter);
        Ok(())
    }
}

/// Adds a filter's searches and condition to a rule's. What is wrong with them is said where the rule's logsource stands: the
/// filter is another file.
fn join(rule: &mut Rule, filter: &Filter) {
    let Detection { searches, conditions } = elsewhere(&filter.detection, &rule.logsource_span);
    let before = rule.detection.searches.len();
    rule.detection.searches.extend(searches.into_iter().map(|mut search| {
        // No name of a rule has a blank in it.
        search.name = format!("{} {}", filter.label(), search.name);
        search
    }));
    let added = one_of(conditions.into_iter().map(|condition| shifted(condition, before)).collect());
    // One `and` for all filters: conditions must not become deeper with each.
    let mut joined = match one_of(std::mem::take(&mut rule.detection.conditions)) {
        Condition::And(own) => own,
        own => vec![own],
    };
    joined.push(added);
    rule.detection.conditions = vec![Condition::And(joined)];
}

/// A list of conditions as one.
fn one_of(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            conditions.extend(last);
            Condition::Or(conditions)
        }
    }
}

/// A detection of which everything stands at `span`.
fn elsewhere(detection: &Detection, span: &Span) -> Detection {
    let mut detection = detection.clone();
    for search in &mut detection.searches {
        search.span = span.clone();
        search_at(&mut search.search, span);
    }
    for condition in &mut detection.conditions {
        condition_at(condition, span);
    }
    detection
}

fn search_at(search: &mut Search, span: &Span) {
    match search {
        Search::All(searches) | Search::Any(searches) => {
            for search in searches {
                search_at(search, span);
            }
        }
        Search::Item(Item { modifiers, values, span: at, .. }) => {
            at.clone_from(span);
            for modifier in modifiers {
                modifier.span.clone_from(span);
            }
            for value in values {
                value.span.clone_from(span);
            }
        }
    }
}

fn condition_at(condition: &mut Condition, span: &Span) {
    match condition {
        Condition::Or(conditions) | Condition::And(conditions) => {
            for condition in conditions {
                condition_at(condition, span);
            }
        }
        Condition::Not(condition) => condition_at(condition, span),
        Condition::Search { span: at, .. } | Condition::Of { span: at, .. } => at.clone_from(span),
    }
}

/// The condition over searches that have moved behind `by` others.
fn shifted(condition: Condition, by: usize) -> Condition {
    let all = |conditions: Vec<Condition>| conditions.into_iter().map(|condition| shifted(condition, by)).collect();
    match condition {
        Condition::Or(conditions) => Condition::Or(all(conditions)),
        Condition::And(conditions) => Condition::And(all(conditions)),
        Condition::Not(condition) => Condition::Not(Box::new(shifted(*condition, by))),
        Condition::Search { index, span } => Condition::Search { index: index.saturating_add(by), span },
        Condition::Of { all, searches, span } => {
            let searches = searches.into_iter().map(|index| index.saturating_add(by)).collect();
            Condition::Of { all, searches, span }
        }
    }
}
