//! Searches and conditions over them, as one condition.

use super::{codes, lowering::Lowering, merge};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, walk},
    sigma::ast::{Condition, Detection, Search, SearchIdentifier},
};

/// How large all uses of searches may be together. A condition may use a search as often as it likes.
const USED_NODES_MAX: usize = 200_000;

/// A search identifier, ready to be used.
struct Ready {
    expr: Expr,
    nodes: usize,
}

impl Lowering<'_> {
    /// The condition that a detection is; `None` after an error.
    pub(super) fn detection(&mut self, detection: &Detection) -> Option<Expr> {
        let mut searches = Vec::with_capacity(detection.searches.len());
        let mut sound = true;
        for identifier in &detection.searches {
            match self.identifier(identifier) {
                Some(expr) => searches.push(Ready { nodes: walk::weigh(&expr).nodes, expr }),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        let mut used = 0;
        let conditions: Result<Vec<_>, _> =
            detection.conditions.iter().map(|condition| lowered(condition, &searches, &mut used)).collect();
        match conditions {
            Ok(conditions) => Some(merge::any(conditions)),
            Err(span) => {
                let message = "the condition uses its searches so often that it is larger than the compiler takes";
                self.report(Diagnostic::error(codes::LIMIT, span, message).help("write the condition shorter"));
                None
            }
        }
    }

    fn identifier(&mut self, identifier: &SearchIdentifier) -> Option<Expr> {
        let errors = self.errors();
        let expr = self.search_of(&identifier.search);
        (self.errors() == errors).then_some(expr)
    }

    /// Recursion is as deep as the tree, which the parser bounds. After an error the result means nothing.
    fn search_of(&mut self, search: &Search) -> Expr {
        match search {
            Search::All(searches) => merge::all(searches.iter().map(|search| self.search_of(search)).collect()),
            Search::Any(searches) => merge::any(searches.iter().map(|search| self.search_of(search)).collect()),
            Search::Item(item) => self.item(item).unwrap_or_else(|diagnostic| {
                self.report(diagnostic);
                merge::any(Vec::new())
            }),
        }
    }
}

/// The error is where too much is used.
fn lowered(condition: &Condition, searches: &[Ready], used: &mut usize) -> Result<Expr, Span> {
    let mut one = |index: usize, span: &Span| {
        let Some(ready) = searches.get(index) else { return Err(span.clone()) };
        *used = used.saturating_add(ready.nodes);
        if *used > USED_NODES_MAX { Err(span.clone()) } else { Ok(ready.expr.clone()) }
    };
    match condition {
        Condition::Search { index, span } => one(*index, span),
        Condition::Of { all, searches: wanted, span } => {
            let wanted = wanted.iter().map(|index| one(*index, span)).collect::<Result<_, _>>()?;
            Ok(if *all { merge::all(wanted) } else { merge::any(wanted) })
        }
        Condition::Not(condition) => Ok(merge::not(lowered(condition, searches, used)?)),
        Condition::And(conditions) => Ok(merge::all(several(conditions, searches, used)?)),
        Condition::Or(conditions) => Ok(merge::any(several(conditions, searches, used)?)),
    }
}

fn several(conditions: &[Condition], searches: &[Ready], used: &mut usize) -> Result<Vec<Expr>, Span> {
    conditions.iter().map(|condition| lowered(condition, searches, used)).collect()
}
