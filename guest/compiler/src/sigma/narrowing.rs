//! How a Sigma filter narrows a Sigma rule: by its searches and its condition, added to the rule's own.
//!
//! "Sigma Filters Specification" says that a filter is added to the rules it refers to, and that its condition is as it is
//! written: a filter that drops events says `not selection`. pySigma and rsigma do the same: rule *and* filter.

use super::ast::{Condition, Detection, Filter, Item, Rule, Search};
use crate::diagnostic::Span;

impl Filter {
    /// What to call the filter: its id, else its title.
    pub fn label(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.title)
    }
}

/// Adds a filter's searches and condition to a rule's. What is wrong with them is said where the rule's logsource stands: the
/// filter is another file.
pub(crate) fn add(rule: &mut Rule, filter: &Filter) {
    let Detection { searches, conditions } = elsewhere(&filter.detection, &rule.logsource_span);
    let before = rule.detection.searches.len();
    rule.detection.searches.extend(searches.into_iter().map(|mut search| {
        // No name of a rule has a blank in it.
        search.name = format!("{} {}", filter.label(), search.name);
        search
    }));
    let conditions = conditions.into_iter().map(|condition| shifted(condition, before)).collect();
    let own = std::mem::take(&mut rule.detection.conditions);
    rule.detection.conditions = vec![Condition::And(vec![Condition::Or(own), Condition::Or(conditions)])];
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
