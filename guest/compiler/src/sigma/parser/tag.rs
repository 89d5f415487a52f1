//! Tags (appendix "Tags"): how they are written, and what the specification's own namespaces can say.
//!
//! Other namespaces are the author's own. ATT&CK's tactics are those of the appendix and of later versions of ATT&CK.

use crate::{rule::attack, suggest};

/// Tactics of ATT&CK: Enterprise, those of version 19 included, Mobile and ICS.
const TACTICS: [&str; 19] = [
    "collection",
    "command-and-control",
    "credential-access",
    "defense-evasion",
    "defense-impairment",
    "discovery",
    "evasion",
    "execution",
    "exfiltration",
    "impact",
    "impair-process-control",
    "inhibit-response-function",
    "initial-access",
    "lateral-movement",
    "persistence",
    "privilege-escalation",
    "reconnaissance",
    "resource-development",
    "stealth",
];

/// Groups, software, data sources, mitigations and assets of ATT&CK: what their ids begin with.
const ATTACK_OBJECTS: [&str; 5] = ["ds", "g", "s", "m", "a"];

/// Tactics of D3FEND.
const D3FEND_TACTICS: [&str; 7] = ["deceive", "detect", "evict", "harden", "isolate", "model", "restore"];

const RULE_TYPES: [&str; 3] = ["dfir", "emerging-threats", "threat-hunting"];

const TRAFFIC_LIGHTS: [&str; 5] = ["amber", "amber-strict", "clear", "green", "red"];

/// What is wrong with a tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
}

/// What is wrong with a tag; `None` if nothing is.
pub(super) fn fault(tag: &str) -> Option<Fault> {
    let Some((namespace, name)) = tag.split_once('.').filter(|(namespace, name)| is_written(namespace, name)) else {
        let help = "tags are lower-case letters, digits, `_`, `-` and `.`, with a namespace: `attack.t1059`";
        return Some(Fault { message: format!("`{tag}` is not written as a tag"), help: help.to_owned() });
    };
    let (is_known, known, form): (bool, &[&str], &str) = match namespace {
        "attack" => (is_of_attack(name), &TACTICS, "a tactic, a technique as `t1059.001`, or an object as `g0007`"),
        "car" => (has_digits(name, &[4, 2, 3]), &[], "the year, month and number of an analytic: `2016-04-005`"),
        "cve" => (is_cve(name), &[], "the year and number of a CVE: `2021-44228`"),
        "d3fend" => (is_of_d3fend(name), &D3FEND_TACTICS, "a tactic, or an id as `d3-am`"),
        "detection" => (RULE_TYPES.contains(&name), &RULE_TYPES, "`dfir`, `emerging-threats` or `threat-hunting`"),
        "stp" => (is_score(name), &[], "a score from 1 to 5, and `a`, `u` or `k` behind it if the event's is known"),
        "tlp" => {
            (TRAFFIC_LIGHTS.contains(&name), &TRAFFIC_LIGHTS, "`red`, `amber`, `amber-strict`, `green` or `clear`")
        }
        _ => return None,
    };
    if is_known {
        return None;
    }
    let message = format!("`{name}` is nothing that the tags of `{namespace}` can say");
    let near = suggest::closest(&name.replace('_', "-"), known.iter().copied());
    let help = near.map_or_else(|| format!("it is {form}"), |near| format!("did you mean `{namespace}.{near}`?"));
    Some(Fault { message, help })
}

/// <https://github.com/SigmaHQ/sigma-specification/blob/main/json-schema/sigma-detection-rule-schema.json>. D3FEND's own
/// names have capitals, also in the appendix.
fn is_written(namespace: &str, name: &str) -> bool {
    let has_case = namespace == "d3fend";
    let is_of = |part: &str, more: &[u8]| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || has_case && byte.is_ascii_uppercase();
        !part.is_empty() && part.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit() || more.contains(&byte))
    };
    is_of(namespace, b"_-") && is_of(name, b"._-")
}

fn is_of_attack(name: &str) -> bool {
    let is_object = |prefix: &&str| name.strip_prefix(*prefix).is_some_and(|number| has_digits(number, &[4]));
    TACTICS.contains(&name) || attack::is_technique(&name.to_ascii_uppercase()) || ATTACK_OBJECTS.iter().any(is_object)
}

fn is_of_d3fend(name: &str) -> bool {
    let id = ["d3-", "d3f-"].into_iter().find_map(|prefix| name.strip_prefix(prefix));
    D3FEND_TACTICS.contains(&name) || id.is_some_and(|id| !id.is_empty())
}

/// A number has four digits or more.
fn is_cve(name: &str) -> bool {
    name.split_once('-').is_some_and(|(year, number)| {
        has_digits(year, &[4]) && number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_score(name: &str) -> bool {
    let analytic = name.strip_suffix(['a', 'u', 'k']).unwrap_or(name);
    matches!(analytic, "1" | "2" | "3" | "4" | "5")
}

/// Whether a text is numbers of so many digits, with dashes between them.
fn has_digits(text: &str, counts: &[usize]) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number =
        |(part, count): (&&str, &usize)| part.len() == *count && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == counts.len() && parts.iter().zip(counts).all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_the_appendix_are_right() {
        for tag in [
            "attack.t1059",
            "attack.t1059.001",
            "attack.g0007",
            "attack.s0005",
            "attack.ds0009",
            "attack.m1013",
            "attack.a0008",
            "attack.initial-access",
            "attack.command-and-control",
            "attack.stealth",
            "car.2016-04-005",
            "cve.2021-44228",
            "cve.2024-1234",
            "d3fend.d3-am",
            "d3fend.d3f-WindowsNtOpenFile",
            "d3fend.harden",
            "detection.threat-hunting",
            "stp.4",
            "stp.3k",
            "tlp.amber-strict",
            "ours.whatever.it_is",
        ] {
            assert_eq!(fault(tag), None, "{tag}");
        }
    }

    #[test]
    fn other_tags_are_wrong_and_say_what_would_be_right() {
        for (tag, help) in [
            ("Not a tag", "with a namespace"),
            ("attack", "with a namespace"),
            ("attack.", "with a namespace"),
            ("attack.T1059", "lower-case"),
            ("attack.t105", "a technique as `t1059.001`"),
            ("attack.t1059.1", "a technique as `t1059.001`"),
            ("attack.g007", "an object as `g0007`"),
            ("attack.credential_access", "did you mean `attack.credential-access`?"),
            ("attack.defence-evasion", "did you mean `attack.defense-evasion`?"),
            ("car.2016-04-05", "`2016-04-005`"),
            ("cve.2021.44228", "`2021-44228`"),
            ("cve.2021-442", "`2021-44228`"),
            ("d3fend.d3-", "`d3-am`"),
            ("detection.threat_hunting", "did you mean `detection.threat-hunting`?"),
            ("stp.6", "a score from 1 to 5"),
            ("stp.3x", "a score from 1 to 5"),
            ("tlp.white", "`clear`"),
        ] {
            let fault = fault(tag).expect(tag);
            assert!(fault.help.contains(help), "{tag}: {fault:?}");
        }
    }
}
