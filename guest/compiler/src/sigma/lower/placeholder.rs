//! Placeholders and what they stand for ("Placeholders"). A rule with one that nothing is known about is refused, as the
//! specification demands.

use std::collections::BTreeMap;

use super::{
    codes,
    encode::EXPANSIONS_MAX,
    pattern::{self, Part},
    value,
};
use crate::diagnostic::{Diagnostic, Span};

/// What placeholders stand for: any of their values, which are written as values of rules are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders(pub BTreeMap<String, Vec<String>>);

impl Placeholders {
    /// The written texts that a text with placeholders stands for: one for each combination of their values.
    pub(super) fn expand(&self, written: &str, span: &Span) -> Result<Vec<String>, Diagnostic> {
        let mut results = vec![String::new()];
        for part in pattern::parts(written) {
            match part {
                Part::Written(text) => results.iter_mut().for_each(|result| result.push_str(text)),
                Part::Percent => results.iter_mut().for_each(|result| result.push('%')),
                Part::Placeholder(name) => {
                    let values = self.0.get(name).filter(|values| !values.is_empty());
                    let values = values.ok_or_else(|| unknown(name, span))?;
                    if results.len().saturating_mul(values.len()) > EXPANSIONS_MAX {
                        return Err(value::too_many(span));
                    }
                    let with = |result: &String| -> Vec<String> {
                        values.iter().map(|value| format!("{result}{value}")).collect()
                    };
                    results = results.iter().flat_map(with).collect();
                }
            }
        }
        Ok(results)
    }
}

fn unknown(name: &str, span: &Span) -> Diagnostic {
    let message = format!("nothing is known about the placeholder `%{name}%`");
    let help = format!("give its values in a placeholders file (`{name}: [value, ...]`) or by a pipeline");
    Diagnostic::error(codes::PLACEHOLDER, span.clone(), message).help(help)
}
