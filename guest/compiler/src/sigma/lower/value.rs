//! One value under its modifiers: from what is written to what is compared.
//!
//! Modifiers are applied in the order written ("Value Modifiers"), each to what the one before made. `all`, `neq` and
//! `cased` are about the item, and `expand` about the text as it is written; [`super::item`] sees to them.

use std::net::IpAddr;

use super::{
    codes,
    encode::{self, Bytes, EXPANSIONS_MAX, Utf16},
    pattern,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{CompareOp, DatePart, MatchKind, Network, Pattern, Piece},
    regex::Flags,
    sigma::{
        ast::{Modifier, SpannedModifier, ValueData},
        parser::scalar,
    },
};

/// The first 96 bits of an IPv4 address that is written as IPv6.
const MAPPED_PREFIX: u8 = 96;

/// What a value is after some of its modifiers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    Null,
    Bool(bool),
    Integer(i128),
    Real(f64),
    /// As written: whether wildcards are special is not known before the first modifier.
    Written(String),
    Text(Pattern),
    Bytes(Bytes),
    Regex {
        pattern: String,
        flags: Flags,
    },
    Cidr(Network),
    Compare(CompareOp, f64),
    /// Without an operator the part is the number.
    DatePart(DatePart, Option<CompareOp>, i64),
    Field {
        name: String,
        kind: MatchKind,
    },
    Exists(bool),
}

impl From<&ValueData> for Matcher {
    fn from(value: &ValueData) -> Self {
        match value {
            ValueData::Null => Self::Null,
            ValueData::Bool(value) => Self::Bool(*value),
            ValueData::Integer(value) => Self::Integer(*value),
            ValueData::Real(value) => Self::Real(*value),
            ValueData::Text(text) => Self::Written(text.clone()),
        }
    }
}

/// What a value becomes by its modifiers: any of the results may match.
pub(super) fn apply(value: Matcher, modifiers: &[SpannedModifier], span: &Span) -> Result<Vec<Matcher>, Diagnostic> {
    let mut results = vec![value];
    // `contains|fieldref` and `fieldref|contains` mean the same: there is nothing else that a name could be contained in.
    let is_reference = |modifier: &&SpannedModifier| modifier.modifier == Modifier::FieldRef;
    let others = modifiers.iter().filter(|modifier| !is_reference(modifier));
    for modifier in modifiers.iter().filter(is_reference).chain(others) {
        let mut next = Vec::new();
        for value in results {
            next.extend(apply_one(value, modifier, span)?);
            if next.len() > EXPANSIONS_MAX {
                return Err(too_many(span));
            }
        }
        results = next;
    }
    Ok(results)
}

/// That one value stands for too many.
pub(super) fn too_many(span: &Span) -> Diagnostic {
    let message = format!("this value stands for more than {EXPANSIONS_MAX} texts");
    Diagnostic::error(codes::LIMIT, span.clone(), message).help("write several shorter values")
}

fn apply_one(value: Matcher, modifier: &SpannedModifier, span: &Span) -> Result<Vec<Matcher>, Diagnostic> {
    let single = |value: Matcher| Ok(vec![value]);
    match modifier.modifier {
        Modifier::All | Modifier::Neq | Modifier::Cased | Modifier::Expand => single(value),
        Modifier::Contains => single(lying(value, MatchKind::Contains, modifier, span)?),
        Modifier::StartsWith => single(lying(value, MatchKind::StartsWith, modifier, span)?),
        Modifier::EndsWith => single(lying(value, MatchKind::EndsWith, modifier, span)?),
        Modifier::Windash => {
            let variants = encode::windash(&text(value, modifier, span)?).ok_or_else(|| too_many(span))?;
            Ok(variants.into_iter().map(Matcher::Text).collect())
        }
        Modifier::Utf16Le => single(utf16(value, Utf16::Little, modifier, span)?),
        Modifier::Utf16Be => single(utf16(value, Utf16::Big, modifier, span)?),
        Modifier::Utf16 => single(utf16(value, Utf16::Marked, modifier, span)?),
        Modifier::Base64 => {
            let encoded = encode::base64(&bytes(value, modifier, span)?);
            single(Matcher::Text(pattern::literal(&encoded)))
        }
        Modifier::Base64Offset => {
            let variants = encode::base64_offset(&bytes(value, modifier, span)?).ok_or_else(|| {
                let message = "`base64offset` of less than two bytes could be anything";
                Diagnostic::error(codes::VALUE, span.clone(), message).help("write a longer text")
            })?;
            Ok(variants.iter().map(|encoded| Matcher::Text(pattern::literal(encoded))).collect())
        }
        Modifier::Re => single(Matcher::Regex { pattern: unmodified(value, modifier, span)?, flags: Flags::default() }),
        Modifier::Insensitive => single(flagged(value, modifier, |flags| flags.insensitive = true)?),
        Modifier::MultiLine => single(flagged(value, modifier, |flags| flags.multi_line = true)?),
        Modifier::SingleLine => single(flagged(value, modifier, |flags| flags.single_line = true)?),
        Modifier::Cidr => single(Matcher::Cidr(network(&unmodified(value, modifier, span)?, span)?)),
        Modifier::Lt => single(compare(value, CompareOp::Less, modifier, span)?),
        Modifier::Lte => single(compare(value, CompareOp::LessEqual, modifier, span)?),
        Modifier::Gt => single(compare(value, CompareOp::Greater, modifier, span)?),
        Modifier::Gte => single(compare(value, CompareOp::GreaterEqual, modifier, span)?),
        Modifier::Minute => single(date_part(value, DatePart::Minute, modifier, span)?),
        Modifier::Hour => single(date_part(value, DatePart::Hour, modifier, span)?),
        Modifier::Day => single(date_part(value, DatePart::Day, modifier, span)?),
        Modifier::Week => single(date_part(value, DatePart::Week, modifier, span)?),
        Modifier::Month => single(date_part(value, DatePart::Month, modifier, span)?),
        Modifier::Year => single(date_part(value, DatePart::Year, modifier, span)?),
        Modifier::FieldRef => single(field_reference(value, modifier, span)?),
        Modifier::Exists => match value {
            Matcher::Bool(wanted) => single(Matcher::Exists(wanted)),
            _ => Err(wrong_value(modifier, span, "`true` or `false`, without quotes")),
        },
    }
}

/// A value that its modifier cannot use.
fn wrong_value(modifier: &SpannedModifier, span: &Span, wanted: &str) -> Diagnostic {
    let message = format!("`{}` takes {wanted}", modifier.modifier.name());
    Diagnostic::error(codes::VALUE, span.clone(), message).label("this is something else")
}

/// A modifier that cannot stand behind what is before it.
fn misplaced(modifier: &SpannedModifier, why: &str) -> Diagnostic {
    let message = format!("`{}` cannot stand here: {why}", modifier.modifier.name());
    Diagnostic::error(codes::MODIFIER, modifier.span.clone(), message)
}

/// The value as a text with wildcards. Numbers and booleans are their text: all values are ("General").
fn text(value: Matcher, modifier: &SpannedModifier, span: &Span) -> Result<Pattern, Diagnostic> {
    match value {
        Matcher::Written(written) => Ok(pattern::parse(&written)),
        Matcher::Text(pattern) => Ok(pattern),
        Matcher::Bytes(bytes) => text_of_bytes(&bytes, span),
        Matcher::Integer(value) => Ok(pattern::literal(&value.to_string())),
        Matcher::Real(value) => Ok(pattern::literal(&real_text(value))),
        Matcher::Bool(value) => Ok(pattern::literal(&value.to_string())),
        Matcher::Null => Err(wrong_value(modifier, span, "text")),
        Matcher::Regex { .. }
        | Matcher::Cidr(_)
        | Matcher::Compare(..)
        | Matcher::DatePart(..)
        | Matcher::Field { .. }
        | Matcher::Exists(_) => Err(misplaced(modifier, "what is before it leaves no text to change")),
    }
}

/// A real as JSON writes it.
pub(super) fn real_text(value: f64) -> String {
    // There is always one: rules' numbers are finite.
    serde_json::Number::from_f64(value).map(|number| number.to_string()).unwrap_or_default()
}

/// Encoded text that no `base64` follows, as text.
pub(super) fn text_of_bytes(bytes: &Bytes, span: &Span) -> Result<Pattern, Diagnostic> {
    bytes.text.as_deref().map(pattern::literal).ok_or_else(|| {
        let message = "UTF-16 of characters beyond ASCII is no text that an event can have";
        Diagnostic::error(codes::VALUE, span.clone(), message).help("add `base64` or `base64offset` behind it")
    })
}

/// A text with wildcards around it, or a reference to a field that lies so.
fn lying(value: Matcher, kind: MatchKind, modifier: &SpannedModifier, span: &Span) -> Result<Matcher, Diagnostic> {
    match value {
        Matcher::Field { name, kind: MatchKind::Equals } => Ok(Matcher::Field { name, kind }),
        Matcher::Field { .. } => Err(misplaced(modifier, "one of `contains`, `startswith` and `endswith` is enough")),
        // An expression is found anywhere in any case.
        Matcher::Regex { .. } if kind == MatchKind::Contains => Ok(value),
        Matcher::Regex { .. } => Err(misplaced(modifier, "a regular expression says itself where it must be found")
            .help("write `^` at its start, or `$` at its end")),
        value => {
            let text = text(value, modifier, span)?;
            Ok(Matcher::Text(match kind {
                MatchKind::StartsWith => pattern::starting(text),
                MatchKind::EndsWith => pattern::ending(text),
                _ => pattern::starting(pattern::ending(text)),
            }))
        }
    }
}

fn utf16(value: Matcher, kind: Utf16, modifier: &SpannedModifier, span: &Span) -> Result<Matcher, Diagnostic> {
    if matches!(value, Matcher::Bytes(_)) {
        return Err(misplaced(modifier, "the text is UTF-16 already"));
    }
    let text = text(value, modifier, span)?;
    if let Some(plain) = pattern::plain(&text) {
        return Ok(Matcher::Bytes(encode::utf16(plain, kind)));
    }
    // Wildcards stay between what is encoded; the mark, if any, is at the very start.
    let mut result = Pattern(Vec::new());
    if kind == Utf16::Marked {
        pattern::push(&mut result, Piece::Literal('\u{feff}'.to_string()));
    }
    let inner = if kind == Utf16::Marked { Utf16::Little } else { kind };
    for piece in text.0 {
        let piece = match piece {
            Piece::Literal(text) => {
                let encoded = encode::utf16(&text, inner);
                let Pattern(pieces) = text_of_bytes(&encoded, span)?;
                pieces.into_iter().next().unwrap_or(Piece::Literal(String::new()))
            }
            wildcard => wildcard,
        };
        pattern::push(&mut result, piece);
    }
    Ok(Matcher::Text(result))
}

/// The bytes of a text without wildcards.
fn bytes(value: Matcher, modifier: &SpannedModifier, span: &Span) -> Result<Vec<u8>, Diagnostic> {
    if let Matcher::Bytes(bytes) = value {
        return Ok(bytes.bytes);
    }
    let text = text(value, modifier, span)?;
    pattern::plain(&text).map(|plain| plain.as_bytes().to_vec()).ok_or_else(|| {
        let message = format!("`{}` of a text with wildcards is not possible", modifier.modifier.name());
        let help =
            "write `\\*` or `\\?` for the plain character, and put `contains`, `startswith` and `endswith` behind it";
        Diagnostic::error(codes::VALUE, span.clone(), message).help(help)
    })
}

/// The value as it is written, which no modifier has changed.
fn unmodified(value: Matcher, modifier: &SpannedModifier, span: &Span) -> Result<String, Diagnostic> {
    match value {
        Matcher::Written(written) => Ok(written),
        Matcher::Integer(value) => Ok(value.to_string()),
        Matcher::Null | Matcher::Bool(_) | Matcher::Real(_) => Err(wrong_value(modifier, span, "text")),
        _ => Err(misplaced(modifier, "it takes the value as it is written").help("put it before the others")),
    }
}

fn flagged(value: Matcher, modifier: &SpannedModifier, set: impl Fn(&mut Flags)) -> Result<Matcher, Diagnostic> {
    match value {
        Matcher::Regex { pattern, mut flags } => {
            set(&mut flags);
            Ok(Matcher::Regex { pattern, flags })
        }
        _ => Err(misplaced(modifier, "it is about a regular expression").help("write it behind `re`")),
    }
}

/// A comparison with a number, or of a part of a time with one.
fn compare(value: Matcher, op: CompareOp, modifier: &SpannedModifier, span: &Span) -> Result<Matcher, Diagnostic> {
    if let Matcher::DatePart(part, None, number) = value {
        return Ok(Matcher::DatePart(part, Some(op), number));
    }
    match number(value) {
        // Compared as reals, as JSON's numbers are.
        #[expect(clippy::cast_precision_loss, reason = "a number of an event beyond 2^53 loses the same precision")]
        Matcher::Integer(number) => Ok(Matcher::Compare(op, number as f64)),
        Matcher::Real(number) => Ok(Matcher::Compare(op, number)),
        Matcher::Written(_) | Matcher::Null | Matcher::Bool(_) => Err(wrong_value(modifier, span, "a number")),
        _ => Err(misplaced(modifier, "it takes the value as it is written")),
    }
}

/// A text that is a number is one for modifiers that are about numbers.
fn number(value: Matcher) -> Matcher {
    match value {
        Matcher::Written(written) => {
            let number = scalar::number(written.trim());
            number.map_or(Matcher::Written(written), |number| Matcher::from(&number))
        }
        value => value,
    }
}

fn date_part(value: Matcher, part: DatePart, modifier: &SpannedModifier, span: &Span) -> Result<Matcher, Diagnostic> {
    let (op, value) = match value {
        Matcher::Compare(op, number) => (Some(op), Matcher::Real(number)),
        value => (None, number(value)),
    };
    match value {
        Matcher::Integer(number) => match i64::try_from(number) {
            Ok(number) => Ok(Matcher::DatePart(part, op, number)),
            Err(_) => Err(wrong_value(modifier, span, "a part of a time")),
        },
        Matcher::Real(number) => match whole(number) {
            Some(number) => Ok(Matcher::DatePart(part, op, number)),
            None => Err(wrong_value(modifier, span, "a whole number")),
        },
        Matcher::Written(_) | Matcher::Null | Matcher::Bool(_) => Err(wrong_value(modifier, span, "a whole number")),
        _ => Err(misplaced(modifier, "it takes the value as it is written")),
    }
}

/// The whole number that a real is, if it could be a part of a time.
fn whole(number: f64) -> Option<i64> {
    format!("{number:.0}")
        .parse::<i32>()
        .ok()
        .filter(|whole| f64::from(*whole).total_cmp(&number).is_eq())
        .map(i64::from)
}

fn field_reference(value: Matcher, modifier: &SpannedModifier, span: &Span) -> Result<Matcher, Diagnostic> {
    match value {
        Matcher::Written(written) => match pattern::plain(&pattern::parse(&written)) {
            Some(name) if !name.is_empty() => Ok(Matcher::Field { name: name.to_owned(), kind: MatchKind::Equals }),
            _ => Err(wrong_value(modifier, span, "the name of a field, without wildcards")),
        },
        Matcher::Null | Matcher::Bool(_) | Matcher::Integer(_) | Matcher::Real(_) => {
            Err(wrong_value(modifier, span, "the name of a field"))
        }
        _ => Err(misplaced(modifier, "it takes the value as it is written")),
    }
}

/// A network in CIDR notation, or one address.
fn network(written: &str, span: &Span) -> Result<Network, Diagnostic> {
    let wrong = |message: String| Diagnostic::error(codes::CIDR, span.clone(), message);
    let (address, prefix) = match written.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (written, None),
    };
    let example = "write it as `10.0.0.0/8` or `fe80::/10`";
    let address: IpAddr = address.parse().map_err(|_| wrong(format!("`{written}` is no network")).help(example))?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => bits,
        Some(digits) => digits
            .parse::<u8>()
            .ok()
            .filter(|prefix| *prefix <= bits && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .ok_or_else(|| wrong(format!("`/{digits}` is no length of a network: it is 0 to {bits}")).help(example))?,
    };
    let masked = masked(address, prefix);
    if masked != address {
        let message = format!("`{written}` is not the first address of its network");
        return Err(wrong(message).help(format!("write `{masked}/{prefix}`")));
    }
    // An event's address is IPv4, however it is written.
    if let IpAddr::V6(six) = address
        && let (Some(four), Some(prefix)) = (six.to_ipv4_mapped(), prefix.checked_sub(MAPPED_PREFIX))
    {
        return Ok(Network { address: IpAddr::V4(four), prefix });
    }
    Ok(Network { address, prefix })
}

/// The first address of the network.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V4((four.to_bits() & mask).into())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
            IpAddr::V6((six.to_bits() & mask).into())
        }
    }
}
