//! What a document says about its rule, in the words of the manifest.
//!
//! What is odd there is a warning: it does not change what the rule finds. `namespace`, `version`, `confidence` and
//! `licence` are of our own, as in Sentinel's envelope. Other keys are the author's own, which the specification allows.

use sandtrap_wit::manifest::{Attack, Status};

use super::{codes, report::Report, section::Section};
use crate::{
    diagnostic::Span,
    rule::{DEFAULT_NAMESPACE, Metadata, attack, file::id_fault, sentinel},
    suggest,
    yaml::Node,
};

/// "Status".
const STATUSES: [(&str, Status); 5] = [
    ("stable", Status::Stable),
    ("test", Status::Test),
    ("experimental", Status::Experimental),
    ("deprecated", Status::Deprecated),
    ("unsupported", Status::Unsupported),
];

/// "Identification": how a rule can be related to another.
const RELATIONS: [&str; 5] = ["derived", "obsolete", "merged", "renamed", "similar"];

/// The longest texts that the specification allows, in characters.
const LENGTHS_MAX: [(&str, usize); 4] = [("title", 256), ("name", 256), ("taxonomy", 256), ("description", 65_535)];

/// The taxonomy whose names this project's streams know.
pub(super) const DEFAULT_TAXONOMY: &str = "sigma";

/// What a rule or correlation rule says about itself. Without an id it has `default_id`.
pub(super) fn metadata(document: &Section, default_id: &str, report: &mut Report) -> Option<Metadata> {
    check_remarks(document, report);
    let title = document.required("title", report);
    let id = match id(document, "id", report) {
        Some(id) => Some(id),
        None if document.get("id").is_none() => default(document, default_id, report),
        None => None,
    };
    let (attack, tags) = tags(document, report);
    let metadata = Metadata {
        namespace: id_or(document, "namespace", DEFAULT_NAMESPACE, report),
        id: id?,
        version: document.text("version", report).map(|(text, _)| text),
        title: title?.0,
        description: document.text("description", report).map(|(text, _)| text).unwrap_or_default(),
        level: choice(document, "level", &sentinel::LEVELS, report),
        confidence: choice(document, "confidence", &sentinel::CONFIDENCES, report),
        status: choice(document, "status", &STATUSES, report),
        authors: authors(document, report),
        references: document.remarks("references", report),
        false_positives: document.remarks("falsepositives", report),
        tags,
        attack,
        data_sources: Vec::new(),
        licence: ["licence", "license"].into_iter().find_map(|key| document.text(key, report)).map(|(text, _)| text),
    };
    Some(metadata)
}

/// `name`, by which correlation rules and filters know the rule.
pub(super) fn name(document: &Section, report: &mut Report) -> Option<String> {
    document.text("name", report).map(|(name, _)| name).filter(|name| !name.is_empty())
}

/// `taxonomy`, with a warning if its names are not those of our streams.
pub(super) fn taxonomy(document: &Section, report: &mut Report) -> String {
    let Some((taxonomy, span)) = document.text("taxonomy", report) else { return DEFAULT_TAXONOMY.to_owned() };
    if taxonomy != DEFAULT_TAXONOMY {
        let message = format!("fields and logsources are taken as they are called in the taxonomy `{taxonomy}`");
        let help = "give a pipeline that maps its names to those of the events";
        report.warning(codes::TAXONOMY, &span, message, help);
    }
    taxonomy
}

/// A text that is part of `namespace/id`.
pub(super) fn id(document: &Section, key: &str, report: &mut Report) -> Option<String> {
    let (id, span) = document.text(key, report)?;
    if let Some(fault) = id_fault(&id) {
        report.error(codes::ID, &span, format!("`{key}` {fault}"), "use letters, digits, `-`, `_` and `.`");
        return None;
    }
    Some(id)
}

fn id_or(document: &Section, key: &str, default: &str, report: &mut Report) -> String {
    id(document, key, report).unwrap_or_else(|| default.to_owned())
}

/// The id of a rule whose file says none: the file's name.
fn default(document: &Section, default_id: &str, report: &mut Report) -> Option<String> {
    let Some(fault) = id_fault(default_id) else { return Some(default_id.to_owned()) };
    let message = format!("the rule has no `id`, and the file's name {fault}");
    report.error(codes::ID, &document.span, message, "add an `id`, a UUID as a rule");
    None
}

/// Warns of what is longer than the specification allows, or not of the form that it asks for.
pub(super) fn check_remarks(document: &Section, report: &mut Report) {
    for (key, chars_max) in LENGTHS_MAX {
        let Some(node) = document.get(key) else { continue };
        if node.scalar().is_some_and(|text| text.chars().count() > chars_max) {
            let message = format!("`{key}` is longer than the {chars_max} characters that the specification allows");
            report.warning(codes::REMARK, &node.span, message, "shorten it");
        }
    }
    for key in ["date", "modified"] {
        let Some(node) = document.get(key) else { continue };
        if !node.scalar().is_some_and(is_date) {
            report.warning(codes::REMARK, &node.extent(), format!("`{key}` is no date"), "write it as 2024-12-31");
        }
    }
    check_related(document, report);
    document.remarks("scope", report);
}

fn check_related(document: &Section, report: &mut Report) {
    let Some((at, node)) = document.find("related") else { return };
    let crate::yaml::Data::List(items) = &node.data else {
        let help = "write a list of mappings with the keys `id` and `type`";
        report.warning(codes::REMARK, &at.span, "`related` is no list", help);
        return;
    };
    for item in items {
        let relation = item.member("type");
        match (item.member("id").and_then(Node::scalar), relation.and_then(Node::scalar)) {
            (Some(_), Some(relation)) if RELATIONS.contains(&relation) => {}
            (Some(_), Some(unknown)) => {
                let help = suggest::closest(unknown, RELATIONS.into_iter()).map_or_else(
                    || format!("it can be {}", RELATIONS.join(", ")),
                    |it| format!("did you mean `{it}`?"),
                );
                let span = item.member("type").map_or(at.span.clone(), |node| node.span.clone());
                report.warning(codes::REMARK, &span, format!("rules are not related as `{unknown}`"), help);
            }
            _ => {
                let help = "write `- id: ...` and below it `type: derived`";
                report.warning(codes::REMARK, &item.extent(), "a related rule has an `id` and a `type`", help);
            }
        }
    }
}

/// A date as the specification writes it, which is in the calendar.
fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    };
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else { return false };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let has_dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    has_dashes && (1..=days).contains(&day)
}

fn choice<T: Copy>(document: &Section, key: &str, choices: &[(&str, T)], report: &mut Report) -> Option<T> {
    let (text, span) = document.text(key, report)?;
    let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let message = format!("`{key}` is none of its values and is left out");
        report.warning(codes::REMARK, &span, message, format!("it can be {}", names.join(", ")));
    }
    found
}

/// "Author": one text with commas between them; a list does no harm.
fn authors(document: &Section, report: &mut Report) -> Vec<String> {
    let authors = document.remarks("author", report);
    authors
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Tags of the namespace `attack` that name tactics or techniques (appendix "Tags"), and all others.
fn tags(document: &Section, report: &mut Report) -> (Attack, Vec<String>) {
    let mut attack = Attack::default();
    let mut others: Vec<String> = Vec::new();
    let nodes: Vec<(String, Span)> = match document.get("tags").map(|node| &node.data) {
        Some(crate::yaml::Data::List(items)) => {
            items.iter().filter_map(|node| Some((node.scalar()?.to_owned(), node.span.clone()))).collect()
        }
        _ => Vec::new(),
    };
    // For its warnings; a single tag need not be a list.
    let all = document.remarks("tags", report);
    for (tag, span) in &nodes {
        if !is_tag(tag) {
            let help = "tags are lower-case letters, digits, `_`, `-` and `.`, with a namespace: `attack.t1059`";
            report.warning(codes::REMARK, span, format!("`{tag}` is not written as a tag"), help);
        }
    }
    for tag in all {
        let (list, name) = match tag.to_ascii_lowercase().strip_prefix("attack.") {
            Some(name) if attack::is_technique(&name.to_ascii_uppercase()) => {
                (&mut attack.techniques, name.to_ascii_uppercase())
            }
            Some(name) if is_tactic(name) => (&mut attack.tactics, tactic(name)),
            _ => (&mut others, tag),
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }
    (attack, others)
}

/// <https://github.com/SigmaHQ/sigma-specification/blob/main/json-schema/sigma-detection-rule-schema.json>
fn is_tag(tag: &str) -> bool {
    let is_of = |part: &str, more: &[u8]| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || more.contains(&byte))
    };
    tag.split_once('.').is_some_and(|(namespace, name)| is_of(namespace, b"_-") && is_of(name, b"._-"))
}

/// Whatever has no digits: groups, software and the like have, and ATT&CK gets new tactics.
fn is_tactic(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'))
}

/// `command-and-control` is `Command and Control`.
fn tactic(name: &str) -> String {
    let words: Vec<String> = name
        .split(['-', '_'])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            first.to_ascii_uppercase() + rest
        })
        .collect();
    attack::tactic(&words.join(" "))
}
