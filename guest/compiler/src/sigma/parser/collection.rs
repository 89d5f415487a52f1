//! Documents that are put together of several, by `action`
//! (<https://github.com/SigmaHQ/sigma-specification/wiki>, "Rule Collections", of the first version):
//!
//! ```text
//! global   its keys are those of every rule that follows, unless a rule says otherwise; several add up
//! reset    ends that
//! repeat   the previous rule once more, with what is different
//! ```
//!
//! Mappings are merged key by key, everything else is replaced. Filters and correlation rules take no part, as in
//! pySigma. Each node keeps its own place in the file.

use std::collections::HashMap;

use super::{codes, report::Report, section::Section};
use crate::{
    suggest,
    yaml::{Data, Node},
};

/// How many nodes the documents that are put together may have in all: `global` and `repeat` copy.
const MERGED_NODES_MAX: usize = 1_000_000;

const ACTIONS: [&str; 3] = ["global", "reset", "repeat"];

/// What documents before have said.
pub(super) struct Collection {
    global: Option<Node>,
    previous: Previous,
    nodes_left: usize,
}

enum Previous {
    None,
    /// It was wrong, which has been reported.
    Refused,
    Rule(Node),
}

impl Collection {
    pub(super) fn new() -> Self {
        Self { global: None, previous: Previous::None, nodes_left: MERGED_NODES_MAX }
    }

    /// A document that could not be read.
    pub(super) fn refuse(&mut self) {
        self.previous = Previous::Refused;
    }

    /// The document that is to be read for this one; `None` if it is none of its own.
    pub(super) fn take(&mut self, document: &Section, node: Node, report: &mut Report) -> Option<Node> {
        let Some((at, action)) = document.find("action") else {
            if ["filter", "correlation"].into_iter().any(|key| document.get(key).is_some()) {
                return Some(node);
            }
            let rule = match self.global.clone() {
                Some(global) => self.pay(global.size(), node, report).map(|node| merged(global, node)),
                None => Some(node),
            };
            let copied = rule.clone();
            self.previous = copied.map_or(Previous::Refused, Previous::Rule);
            return rule;
        };
        let name = action.scalar().unwrap_or_default();
        match name {
            "global" => {
                let global = match self.global.take() {
                    Some(global) => merged(global, without_action(node)),
                    None => without_action(node),
                };
                self.previous = Previous::Rule(global.clone());
                self.global = Some(global);
                None
            }
            "reset" => {
                document.warn_of_others(&["action"], report);
                self.global = None;
                None
            }
            "repeat" => self.repeat(&at.span, node, report),
            _ => {
                let help = suggest::closest(name, ACTIONS.into_iter())
                    .map_or_else(|| format!("there are {}", ACTIONS.join(", ")), |it| format!("did you mean `{it}`?"));
                let span = if action.scalar().is_some() { &action.span } else { &at.span };
                report.error(codes::ACTION, span, format!("there is no action `{name}`"), help);
                self.refuse();
                None
            }
        }
    }

    fn repeat(&mut self, at: &crate::diagnostic::Span, node: Node, report: &mut Report) -> Option<Node> {
        match std::mem::replace(&mut self.previous, Previous::Refused) {
            Previous::Rule(previous) => {
                let node = self.pay(previous.size(), without_action(node), report)?;
                let rule = merged(previous, node);
                self.previous = Previous::Rule(rule.clone());
                Some(rule)
            }
            Previous::Refused => None,
            Previous::None => {
                let help = "put the rule that is to be repeated before it";
                report.error(codes::ACTION, at, "there is no rule before this one to repeat", help);
                None
            }
        }
    }

    /// Takes what merging adds to a document off what is left.
    fn pay(&mut self, nodes: usize, node: Node, report: &mut Report) -> Option<Node> {
        if let Some(left) = self.nodes_left.checked_sub(nodes) {
            self.nodes_left = left;
            return Some(node);
        }
        let message = format!("the documents of this collection have more than {MERGED_NODES_MAX} nodes in all");
        report.error(codes::LIMIT, &node.span, message, "put the rules into several files");
        None
    }
}

fn without_action(mut node: Node) -> Node {
    if let Data::Mapping(entries) = &mut node.data {
        entries.retain(|(key, _)| key.scalar() != Some("action"));
    }
    node
}

/// `base` with what `over` says; nesting is limited by the reader.
fn merged(base: Node, over: Node) -> Node {
    match (base.data, over.data) {
        (Data::Mapping(base), Data::Mapping(over_entries)) => {
            let mut entries: Vec<Option<(Node, Node)>> = base.into_iter().map(Some).collect();
            let places: HashMap<String, usize> = entries
                .iter()
                .enumerate()
                .filter_map(|(at, entry)| Some((entry.as_ref()?.0.scalar()?.to_owned(), at)))
                .collect();
            for (key, value) in over_entries {
                let slot = key.scalar().and_then(|key| places.get(key)).and_then(|at| entries.get_mut(*at));
                match slot {
                    Some(slot) => {
                        *slot = Some(match slot.take() {
                            Some((_, before)) => (key, merged(before, value)),
                            None => (key, value),
                        });
                    }
                    None => entries.push(Some((key, value))),
                }
            }
            Node { data: Data::Mapping(entries.into_iter().flatten().collect()), span: over.span }
        }
        (_, data) => Node { data, span: over.span },
    }
}
