//! Which modifiers go together, and with which values.
//!
//! Modifiers are applied in the order written ("Value Modifiers"). A chain that could match nothing, or that does to a
//! value what cannot be done to it, is an error: `contains|base64` would encode the wildcards that `contains` stands for.
//! pySigma takes the same view of most.

use std::net::IpAddr;

use super::{
    ast::{Item, Modifier, SpannedModifier, Value, ValueData},
    codes,
    report::Report,
    scalar,
};

/// What modifiers do, as far as it matters for what goes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// How values, and the test as a whole, are joined.
    Link,
    /// Where in the field the value stands.
    Place,
    Case,
    Dash,
    /// Base64.
    Encoding,
    /// UTF-16.
    Width,
    Regex,
    Flag,
    Comparison,
    TimePart,
    Network,
    Existence,
    Placeholder,
    Reference,
}

fn kind(modifier: Modifier) -> Kind {
    match modifier {
        Modifier::All | Modifier::Neq => Kind::Link,
        Modifier::StartsWith | Modifier::EndsWith | Modifier::Contains => Kind::Place,
        Modifier::Cased => Kind::Case,
        Modifier::Windash => Kind::Dash,
        Modifier::Base64 | Modifier::Base64Offset => Kind::Encoding,
        Modifier::Utf16Le | Modifier::Utf16Be | Modifier::Utf16 => Kind::Width,
        Modifier::Re => Kind::Regex,
        Modifier::Insensitive | Modifier::MultiLine | Modifier::SingleLine => Kind::Flag,
        Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte => Kind::Comparison,
        Modifier::Minute | Modifier::Hour | Modifier::Day | Modifier::Week | Modifier::Month | Modifier::Year => {
            Kind::TimePart
        }
        Modifier::Cidr => Kind::Network,
        Modifier::Exists => Kind::Existence,
        Modifier::Expand => Kind::Placeholder,
        Modifier::FieldRef => Kind::Reference,
    }
}

/// What is wrong with two modifiers of a key.
enum Fault {
    /// They cannot stand in one key.
    Contradiction,
    /// The second must stand before the first.
    Order,
}

/// What is wrong with a modifier that stands behind another.
fn fault(earlier: Modifier, later: Modifier) -> Option<Fault> {
    let (first, second) = (kind(earlier), kind(later));
    // Base64 of Base64 is a thing.
    let is_repeated = earlier == later && first != Kind::Encoding;
    // `lt` turned around is `gte`, but for what is no number: nobody can mean that.
    let is_turned = [(earlier, second), (later, first)].contains(&(Modifier::Neq, Kind::Comparison));
    if is_repeated || is_turned {
        Some(Fault::Contradiction)
    } else if must_stand_before(second, first) {
        Some(Fault::Order)
    } else if go_together(first, second) || go_together(second, first) {
        None
    } else {
        Some(Fault::Contradiction)
    }
}

/// Whether of two kinds the first must be written first: placeholders and dashes stand in what the rule says, not in what
/// encodings make of it, and wildcards, which `contains` and its like stand for, cannot be encoded.
fn must_stand_before(first: Kind, second: Kind) -> bool {
    use Kind::{Dash, Encoding, Flag, Place, Placeholder, Regex, Width};
    matches!((first, second), (Regex, Flag) | (Placeholder | Dash, Encoding | Width) | (Encoding | Width, Place))
}

/// Whether two kinds can stand in one key; each pair is here once.
fn go_together(one: Kind, other: Kind) -> bool {
    use Kind::{
        Case, Comparison, Dash, Encoding, Existence, Flag, Link, Network, Place, Placeholder, Reference, Regex,
        TimePart, Width,
    };
    match one {
        Link => other != Existence,
        Regex | Flag => matches!(other, Flag | Placeholder),
        TimePart => other == Comparison,
        Reference => matches!(other, Place | Case),
        Place => matches!(other, Case | Dash | Encoding | Width | Placeholder),
        Case => matches!(other, Dash | Encoding | Width | Placeholder),
        Dash => matches!(other, Encoding | Width | Placeholder),
        Encoding => matches!(other, Encoding | Width | Placeholder),
        Network | Width => other == Placeholder,
        Comparison | Existence | Placeholder => false,
    }
}

/// Checks a key's modifiers, its field and its values against each other.
pub(super) fn check(item: &Item, report: &mut Report) {
    let errors = report.errors();
    check_modifiers(item, report);
    if report.errors() > errors {
        return;
    }
    for value in &item.values {
        check_value(item, value, report);
    }
    let all = item.modifiers.iter().find(|spanned| spanned.modifier == Modifier::All);
    if let Some(all) = all.filter(|_| item.values.len() == 1 && !has(item, Kind::Placeholder)) {
        let help = "leave it out; for two tests of one field, use two searches";
        report.warning(codes::LONELY_ALL, &all.span, "`all` has only one value", help);
    }
}

fn check_modifiers(item: &Item, report: &mut Report) {
    for (at, later) in item.modifiers.iter().enumerate() {
        if let Some((earlier, fault)) =
            item.modifiers.iter().take(at).find_map(|earlier| Some((earlier, fault(earlier.modifier, later.modifier)?)))
        {
            say(&fault, earlier, later, report);
            return;
        }
        let name = later.modifier.name();
        if kind(later.modifier) == Kind::Flag && !has_before(item, at, Kind::Regex) {
            let is_behind = has(item, Kind::Regex);
            let (code, message) = if is_behind {
                (codes::ORDER, format!("`{name}` stands before `re`"))
            } else {
                (codes::CONTRADICTION, format!("`{name}` is for regular expressions, and there is no `re`"))
            };
            report.error(code, &later.span, message, format!("write `re|{name}`"));
            return;
        }
        let needs_field =
            matches!(kind(later.modifier), Kind::Existence | Kind::Reference | Kind::Comparison | Kind::TimePart);
        if needs_field && item.field.is_none() {
            let message = format!("`{name}` needs a field");
            report.error(codes::FIELDLESS, &later.span, message, format!("write the field before it: `Field|{name}`"));
            return;
        }
    }
}

fn say(fault: &Fault, earlier: &SpannedModifier, later: &SpannedModifier, report: &mut Report) {
    let (first, second) = (earlier.modifier.name(), later.modifier.name());
    match fault {
        Fault::Order => {
            let message = format!("`{second}` stands behind `{first}`, and modifiers are applied in order");
            report.error(codes::ORDER, &later.span, message, format!("write `{second}|{first}`"));
        }
        Fault::Contradiction if earlier.modifier == later.modifier => {
            report.error(
                codes::CONTRADICTION,
                &later.span,
                format!("`{second}` is there twice"),
                "remove one of the two",
            );
        }
        Fault::Contradiction => {
            let message = format!("`{first}` and `{second}` do not go together");
            let help = match (kind(earlier.modifier), kind(later.modifier)) {
                (Kind::Regex, Kind::Place) | (Kind::Place, Kind::Regex) => {
                    "a regular expression matches anywhere unless it has `^` or `$`"
                }
                (Kind::Regex, Kind::Case) | (Kind::Case, Kind::Regex) => {
                    "a regular expression minds the case unless it has `i`"
                }
                (Kind::Existence, _) | (_, Kind::Existence) => "`exists` stands alone, with `true` or `false`",
                (Kind::Place, Kind::Place) => "use `contains`, or wildcards in the value",
                (Kind::Comparison, _) | (_, Kind::Comparison) => "use two searches; `gte` is the opposite of `lt`",
                _ => "use one of the two, or two searches",
            };
            report.error(codes::CONTRADICTION, &later.span, message, help);
        }
    }
}

fn has(item: &Item, wanted: Kind) -> bool {
    has_before(item, item.modifiers.len(), wanted)
}

fn has_before(item: &Item, at: usize, wanted: Kind) -> bool {
    item.modifiers.iter().take(at).any(|spanned| kind(spanned.modifier) == wanted)
}

fn check_value(item: &Item, value: &Value, report: &mut Report) {
    for spanned in &item.modifiers {
        let modifier = spanned.modifier;
        let wanted = match (kind(modifier), &value.data) {
            (Kind::Existence, ValueData::Bool(_)) if item.values.len() == 1 => continue,
            (Kind::Existence, _) => Some("`true` or `false`"),
            (Kind::Link, _) => None,
            (_, ValueData::Null) => Some("a value that is not null"),
            (Kind::Regex | Kind::Encoding | Kind::Width | Kind::Reference | Kind::Network, ValueData::Text(text)) => {
                unfit_text(item, kind(modifier), text)
            }
            (Kind::Regex | Kind::Encoding | Kind::Width | Kind::Reference | Kind::Network, _) => Some("text: quote it"),
            (kind @ (Kind::Comparison | Kind::TimePart), data) => unfit_number(item, kind, data),
            _ => None,
        };
        if let Some(wanted) = wanted {
            let name = modifier.name();
            let message = format!("`{name}` wants {wanted}");
            report.error(codes::VALUE, &value.span, message, format!("correct the value, or leave `{name}` out"));
            return;
        }
    }
    let part = item.modifiers.iter().find_map(|spanned| Some((spanned.modifier, range(spanned.modifier)?)));
    let Some((part, (from, to))) = part.filter(|_| !has(item, Kind::Comparison)) else { return };
    if matches!(number(&value.data), Some(ValueData::Integer(number)) if !(i128::from(from)..=i128::from(to)).contains(&number))
    {
        let message = format!("`{}` is between {from} and {to}: this matches nothing", part.name());
        report.warning(codes::NEVER, &value.span, message, "correct the number");
    }
}

/// What a text must be for a modifier that it is not.
fn unfit_text(item: &Item, kind: Kind, text: &str) -> Option<&'static str> {
    match kind {
        Kind::Encoding if has_wildcard(text) => Some("text without wildcards: write `\\*` and `\\?`"),
        Kind::Reference if text.is_empty() || has_wildcard(text) => Some("the name of a field, without wildcards"),
        Kind::Network if !has(item, Kind::Placeholder) && !is_network(text) => {
            Some("a network such as `10.0.0.0/8` or `fe80::/10`")
        }
        _ => None,
    }
}

/// What a number must be that this value is not.
fn unfit_number(item: &Item, kind: Kind, data: &ValueData) -> Option<&'static str> {
    match number(data) {
        Some(ValueData::Integer(_)) => None,
        Some(_) if kind == Kind::Comparison || has(item, Kind::Comparison) => None,
        _ if kind == Kind::TimePart => Some("a whole number"),
        _ => Some("a number"),
    }
}

/// The number that a value is; in quotes it is one, too, where nothing else is wanted.
fn number(data: &ValueData) -> Option<ValueData> {
    match data {
        ValueData::Integer(_) | ValueData::Real(_) => Some(data.clone()),
        ValueData::Text(text) => scalar::number(text.trim()),
        ValueData::Null | ValueData::Bool(_) => None,
    }
}

/// Between which numbers a part of a time is ("Time Modifiers"); ISO 8601 has weeks of number 53, too.
fn range(part: Modifier) -> Option<(i64, i64)> {
    match part {
        Modifier::Minute => Some((0, 59)),
        Modifier::Hour => Some((0, 23)),
        Modifier::Day => Some((1, 31)),
        Modifier::Week => Some((1, 53)),
        Modifier::Month => Some((1, 12)),
        _ => None,
    }
}

/// Whether a text has a `*` or `?` that is not escaped ("Escape Character").
fn has_wildcard(text: &str) -> bool {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next_if(|next| matches!(next, '*' | '?' | '\\'));
            }
            '*' | '?' => return true,
            _ => {}
        }
    }
    false
}

/// Whether it is an address, or a network in CIDR's notation.
fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let length_max: u8 = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| {
        length.bytes().all(|byte| byte.is_ascii_digit()) && length.parse().is_ok_and(|length: u8| length <= length_max)
    })
}
