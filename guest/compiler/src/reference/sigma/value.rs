//! What the values of an item ask of an event ("Value Modifiers", appendix "Modifiers").

use super::{
    encoding,
    network::Network,
    pattern::{self, Token},
    regex,
    rule::Placeholders,
};
use crate::{
    diagnostic::Span,
    reference::{ReferenceError, text::Case},
    sigma::ast::{Item, Modifier, Value, ValueData},
};

/// One question about an event.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// An element is this text.
    Text(Vec<Token>, Case),
    /// The expression is found in an element.
    Regex(::regex::Regex),
    /// An element is an address in the network.
    Network(Network),
    /// An element is a number that compares so with this one.
    Number(Modifier, f64),
    /// The part of the field's time that the first modifier names compares so with the number; without a second
    /// modifier it is the number.
    Part(Modifier, Option<Modifier>, f64),
    /// An element is, or with `Any` before or behind it has in it, an element of this field.
    OtherField { name: String, any_before: bool, any_behind: bool, case: Case },
    /// The field is absent or null.
    Null,
    /// The field is there, or not.
    Exists(bool),
}

/// The most texts that one value becomes before it is encoded.
const ALTERNATIVES_MAX: usize = 4_000;

/// The dashes that `windash` takes for each other.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// The questions of which a "yes" to one means that the value is found.
pub(super) fn tests(item: &Item, value: &Value, placeholders: &Placeholders) -> Result<Vec<Test>, ReferenceError> {
    use Modifier::{
        All, Cased, Cidr, Contains, Day, EndsWith, Exists, Expand, FieldRef, Gt, Gte, Hour, Insensitive, Lt, Lte,
        Minute, Month, MultiLine, Neq, Re, SingleLine, StartsWith, Week, Year,
    };
    let modifiers: Vec<Modifier> = item.modifiers.iter().map(|spanned| spanned.modifier).collect();
    let has = |modifier| modifiers.contains(&modifier);
    let first_of = |wanted: &[Modifier]| modifiers.iter().copied().find(|modifier| wanted.contains(modifier));
    let only = |allowed: &[Modifier]| match modifiers.iter().find(|modifier| !allowed.contains(modifier)) {
        Some(other) => Err(unsupported(format!("the modifier {other:?} here"), &item.span)),
        None => Ok(()),
    };
    let wrong = || unsupported(format!("{:?} with {modifiers:?}", value.data), &value.span);
    let case = if has(Cased) { Case::Sensitive } else { Case::Folded };

    if has(Exists) {
        only(&[Exists])?;
        return match value.data {
            ValueData::Bool(wanted) if item.field.is_some() && item.values.len() == 1 => Ok(vec![Test::Exists(wanted)]),
            _ => Err(wrong()),
        };
    }
    if let Some(part) = first_of(&[Minute, Hour, Day, Week, Month, Year]) {
        only(&[part, Lt, Lte, Gt, Gte, Neq, All])?;
        let number = number(&value.data).filter(|_| item.field.is_some()).ok_or_else(wrong)?;
        return Ok(vec![Test::Part(part, first_of(&[Lt, Lte, Gt, Gte]), number)]);
    }
    if let Some(comparison) = first_of(&[Lt, Lte, Gt, Gte]) {
        only(&[comparison, All])?;
        let number = number(&value.data).filter(|_| item.field.is_some()).ok_or_else(wrong)?;
        return Ok(vec![Test::Number(comparison, number)]);
    }
    if has(Re) {
        only(&[Re, Insensitive, MultiLine, SingleLine, All, Neq])?;
        let flags =
            regex::Flags { insensitive: has(Insensitive), multi_line: has(MultiLine), single_line: has(SingleLine) };
        let text = text(&value.data).ok_or_else(wrong)?;
        let regex = regex::compile(&text, flags).map_err(|reason| unsupported(reason, &value.span))?;
        return Ok(vec![Test::Regex(regex)]);
    }
    if has(FieldRef) {
        only(&[FieldRef, Contains, StartsWith, EndsWith, Cased, All, Neq])?;
        return match &value.data {
            ValueData::Text(name) if item.field.is_some() => Ok(vec![Test::OtherField {
                name: name.clone(),
                any_before: has(Contains) || has(EndsWith),
                any_behind: has(Contains) || has(StartsWith),
                case,
            }]),
            _ => Err(wrong()),
        };
    }
    if has(Cidr) {
        only(&[Cidr, Expand, All, Neq])?;
        let ValueData::Text(text) = &value.data else { return Err(wrong()) };
        let texts = expand(pattern::parse(text, has(Expand)), placeholders, &value.span)?;
        let network = |tokens: &Vec<Token>| plain_text(tokens).and_then(|text| Network::parse(&text));
        return texts.iter().map(|tokens| network(tokens).map(Test::Network).ok_or_else(wrong)).collect();
    }
    if let ValueData::Null = value.data {
        only(&[Neq, All])?;
        return if item.field.is_some() { Ok(vec![Test::Null]) } else { Err(wrong()) };
    }
    let texts = texts(item, value, placeholders, &modifiers)?;
    let case = if let ValueData::Bool(_) = value.data { Case::Folded } else { case };
    Ok(texts.into_iter().map(|tokens| Test::Text(tokens, case)).collect())
}

/// The patterns that a value means, of which one must describe an element.
fn texts(
    item: &Item,
    value: &Value,
    placeholders: &Placeholders,
    modifiers: &[Modifier],
) -> Result<Vec<Vec<Token>>, ReferenceError> {
    let wrong = || unsupported(format!("{:?} with {modifiers:?}", value.data), &value.span);
    let expands = modifiers.contains(&Modifier::Expand);
    let mut texts = match &value.data {
        ValueData::Text(text) => expand(pattern::parse(text, expands), placeholders, &value.span)?,
        data => vec![pattern::plain(&text(data).ok_or_else(wrong)?)],
    };
    let is_text = matches!(value.data, ValueData::Text(_));
    let is_bool = matches!(value.data, ValueData::Bool(_));
    // Whether `texts` holds bytes of UTF-16, one character each, for the Base64 that must follow.
    let mut is_bytes = false;
    let mut anywhere = item.field.is_none();
    for modifier in modifiers {
        match modifier {
            Modifier::All | Modifier::Neq | Modifier::Cased | Modifier::Expand => {}
            // What a keyword would have to be at the start of is left open.
            Modifier::StartsWith | Modifier::EndsWith if item.field.is_none() => return Err(wrong()),
            Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith if !is_bool => {
                for tokens in &mut texts {
                    if *modifier != Modifier::StartsWith {
                        tokens.insert(0, Token::Any);
                    }
                    if *modifier != Modifier::EndsWith {
                        tokens.push(Token::Any);
                    }
                }
                anywhere = false;
            }
            Modifier::Windash if is_text => texts = permute_dashes(texts).ok_or_else(wrong)?,
            Modifier::Utf16Le | Modifier::Utf16Be | Modifier::Utf16 if is_text && !is_bytes => {
                for tokens in &mut texts {
                    let text = plain_text(tokens).ok_or_else(wrong)?;
                    let bytes = match modifier {
                        Modifier::Utf16Be => encoding::utf16be(&text),
                        Modifier::Utf16Le => encoding::utf16le(&text),
                        _ => [vec![0xFF, 0xFE], encoding::utf16le(&text)].concat(),
                    };
                    *tokens = bytes.into_iter().map(|byte| Token::Char(char::from(byte))).collect();
                }
                is_bytes = true;
            }
            Modifier::Base64 | Modifier::Base64Offset if is_text => {
                let mut encoded = Vec::new();
                for tokens in &texts {
                    let text = plain_text(tokens).ok_or_else(wrong)?;
                    let bytes = if is_bytes {
                        text.chars().map(|c| u8::try_from(c).unwrap_or_default()).collect()
                    } else {
                        text.into_bytes()
                    };
                    match modifier {
                        Modifier::Base64 => encoded.push(pattern::plain(&encoding::base64(&bytes))),
                        _ => encoded.extend(encoding::base64_offsets(&bytes).map(|text| pattern::plain(&text))),
                    }
                }
                (texts, is_bytes) = (encoded, false);
            }
            other => return Err(unsupported(format!("the modifier {other:?} on {:?}", value.data), &item.span)),
        }
    }
    // Without Base64 behind it, UTF-16 of ASCII is text with U+0000 in it. Other bytes are no text.
    if is_bytes && texts.iter().flatten().any(|token| !matches!(token, Token::Any | Token::Char('\0'..='\x7F'))) {
        return Err(unsupported("UTF-16 that is no text", &value.span));
    }
    if anywhere {
        texts = texts.into_iter().map(|text| [vec![Token::Any], text, vec![Token::Any]].concat()).collect();
    }
    Ok(texts)
}

/// The text with each of the values that its placeholders stand for.
fn expand(tokens: Vec<Token>, placeholders: &Placeholders, span: &Span) -> Result<Vec<Vec<Token>>, ReferenceError> {
    let mut texts = vec![Vec::new()];
    for token in tokens {
        let choices = match &token {
            Token::Placeholder(name) => match placeholders.get(name) {
                Some(values) if !values.is_empty() => values.iter().map(|value| pattern::parse(value, false)).collect(),
                _ => return Err(unsupported(format!("the placeholder %{name}%"), span)),
            },
            _ => vec![vec![token]],
        };
        texts = product(&texts, &choices).ok_or_else(|| unsupported("so many placeholders", span))?;
    }
    Ok(texts)
}

/// The text with every dash as every dash.
fn permute_dashes(texts: Vec<Vec<Token>>) -> Option<Vec<Vec<Token>>> {
    let mut permuted = Vec::new();
    for text in texts {
        let mut variants = vec![Vec::new()];
        for token in text {
            let choices: Vec<Vec<Token>> = match token {
                Token::Char(c) if DASHES.contains(&c) => DASHES.map(|dash| vec![Token::Char(dash)]).to_vec(),
                token => vec![vec![token]],
            };
            variants = product(&variants, &choices)?;
        }
        permuted.extend(variants);
    }
    Some(permuted)
}

fn product(texts: &[Vec<Token>], choices: &[Vec<Token>]) -> Option<Vec<Vec<Token>>> {
    let pairs = texts.iter().flat_map(|text| choices.iter().map(|choice| [text.as_slice(), choice].concat()));
    (texts.len().saturating_mul(choices.len()) <= ALTERNATIVES_MAX).then(|| pairs.collect())
}

/// The text, if it has no wildcards.
fn plain_text(tokens: &[Token]) -> Option<String> {
    let plain = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
    tokens.iter().map(plain).collect()
}

/// A value that is not null as text.
fn text(data: &ValueData) -> Option<String> {
    match data {
        ValueData::Null => None,
        ValueData::Bool(value) => Some(value.to_string()),
        ValueData::Integer(value) => Some(value.to_string()),
        ValueData::Real(value) => serde_json::Number::from_f64(*value).map(|number| number.to_string()),
        ValueData::Text(text) => Some(text.clone()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers are compared as reals")]
fn number(data: &ValueData) -> Option<f64> {
    match data {
        ValueData::Integer(value) => Some(*value as f64),
        ValueData::Real(value) => Some(*value),
        ValueData::Null | ValueData::Bool(_) | ValueData::Text(_) => None,
    }
}

fn unsupported(construct: impl Into<String>, span: &Span) -> ReferenceError {
    ReferenceError::unsupported(construct, span)
}
