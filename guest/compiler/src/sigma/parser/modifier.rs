//! Keys of searches: `field|modifier|modifier` (appendix "Sigma Modifiers").

use super::{
    ast::{Modifier, SpannedModifier},
    codes,
    report::Report,
};
use crate::{suggest, yaml::Node};

/// How many modifiers a key may have.
const MODIFIERS_MAX: usize = 32;

/// Their names; the last three are how pySigma also calls those of `re`.
const NAMES: [(&str, Modifier); 34] = [
    ("all", Modifier::All),
    ("startswith", Modifier::StartsWith),
    ("endswith", Modifier::EndsWith),
    ("contains", Modifier::Contains),
    ("exists", Modifier::Exists),
    ("cased", Modifier::Cased),
    ("neq", Modifier::Neq),
    ("windash", Modifier::Windash),
    ("re", Modifier::Re),
    ("i", Modifier::Insensitive),
    ("m", Modifier::MultiLine),
    ("s", Modifier::SingleLine),
    ("base64", Modifier::Base64),
    ("base64offset", Modifier::Base64Offset),
    ("utf16le", Modifier::Utf16Le),
    ("wide", Modifier::Utf16Le),
    ("utf16be", Modifier::Utf16Be),
    ("utf16", Modifier::Utf16),
    ("lt", Modifier::Lt),
    ("lte", Modifier::Lte),
    ("gt", Modifier::Gt),
    ("gte", Modifier::Gte),
    ("minute", Modifier::Minute),
    ("hour", Modifier::Hour),
    ("day", Modifier::Day),
    ("week", Modifier::Week),
    ("month", Modifier::Month),
    ("year", Modifier::Year),
    ("cidr", Modifier::Cidr),
    ("expand", Modifier::Expand),
    ("fieldref", Modifier::FieldRef),
    ("ignorecase", Modifier::Insensitive),
    ("multiline", Modifier::MultiLine),
    ("dotall", Modifier::SingleLine),
];

/// The field and the modifiers of a key; no field stands for the whole event. `None` if something was reported.
pub(super) fn key(node: &Node, key: &str, report: &mut Report) -> Option<(Option<String>, Vec<SpannedModifier>)> {
    let mut parts = key.split('|');
    let field = parts.next().unwrap_or_default();
    let places = report.places(node);
    let mut at = field.len();
    let mut modifiers = Vec::new();
    let mut is_known = true;
    for part in parts {
        let start = at.saturating_add(1);
        at = start.saturating_add(part.len());
        let span = places.of(start..at);
        if modifiers.len() == MODIFIERS_MAX {
            let message = format!("a key has more than {MODIFIERS_MAX} modifiers");
            report.error(codes::LIMIT, &span, message, "write the search with fewer");
            return None;
        }
        if let Some((_, modifier)) = NAMES.iter().find(|(name, _)| *name == part) {
            modifiers.push(SpannedModifier { modifier: *modifier, span });
            continue;
        }
        is_known = false;
        if part.is_empty() {
            report.error(
                codes::UNKNOWN_MODIFIER,
                &places.of(0..key.len()),
                "a `|` has no modifier behind it",
                "remove it",
            );
            continue;
        }
        let names = NAMES.iter().map(|(name, _)| *name);
        let help = suggest::closest(part, names.clone()).map_or_else(
            || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
            |found| format!("did you mean `{found}`?"),
        );
        report.error(codes::UNKNOWN_MODIFIER, &span, format!("there is no modifier `{part}`"), help);
        if report.is_full() {
            return None;
        }
    }
    let field = (!field.is_empty()).then(|| field.to_owned());
    is_known.then_some((field, modifiers))
}
