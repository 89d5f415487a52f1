//! Rules that look like those of the corpus and look for something else: three of each make 15,000 of 3,757.
//!
//! Of a rule only the values in `detection` change ([`super::literal`]), and its id. Numbers, truth values and null stay,
//! and so do values of modifiers to which a text means more than itself ([`KEPT`]). A variant is written as JSON, which is YAML.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, ensure};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

use super::literal;

/// Modifiers whose values are networks, names of fields or placeholders, or which compare numbers.
const KEPT: [&str; 14] = [
    "cidr", "expand", "fieldref", "exists", "lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year",
];

/// What of `detection` is no search identifier.
const NO_SEARCH: [&str; 2] = ["condition", "timeframe"];

/// How many values became of what.
#[derive(Default)]
pub(super) struct Tally {
    /// Changed values.
    pub(super) changed: u64,
    /// Unchanged ones, by reason.
    pub(super) kept: BTreeMap<&'static str, u64>,
    /// Rules of which no value changed.
    pub(super) same_rules: u64,
}

/// Writes the `nth` variant of a rule file into a file.
pub(super) fn write(rule: &Path, nth: usize, to: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let text = fs::read_to_string(rule).with_context(|| format!("cannot read {}", rule.display()))?;
    let made = make(&text, nth, tally).with_context(|| format!("cannot vary {}", rule.display()))?;
    fs::write(to, made).with_context(|| format!("cannot write {}", to.display()))
}

fn make(text: &str, nth: usize, tally: &mut Tally) -> anyhow::Result<String> {
    let documents = Yaml::load_from_str(text)?;
    ensure!(documents.len() == 1, "a file with {} documents", documents.len());
    let mut rule = documents.first().and_then(json).context("not a rule")?;
    let id = rule.get("id").and_then(Value::as_str).context("no id")?;
    let id = fresh_id(id, nth);
    let before = tally.changed;
    let searches = rule.get_mut("detection").and_then(Value::as_object_mut).context("no detection")?;
    for (name, search) in searches.iter_mut().filter(|(name, _)| !NO_SEARCH.contains(&name.as_str())) {
        ensure!(!name.is_empty(), "a search identifier without a name");
        Change { nth, tally }.any(search, "");
    }
    tally.same_rules += u64::from(tally.changed == before);
    rule["id"] = Value::from(id);
    Ok(format!("{rule:#}\n"))
}

/// A UUID made of another.
fn fresh_id(id: &str, nth: usize) -> String {
    let digest = Sha256::digest(format!("variant {nth} of {id}"));
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

struct Change<'t> {
    nth: usize,
    tally: &'t mut Tally,
}

impl Change<'_> {
    /// What a search identifier, or one of its keys, has.
    fn any(&mut self, value: &mut Value, key: &str) {
        match value {
            Value::Object(map) => map.iter_mut().for_each(|(key, value)| self.any(value, key)),
            Value::Array(values) => values.iter_mut().for_each(|value| self.any(value, key)),
            Value::String(text) => self.text(text, key),
            Value::Number(_) => self.keep("a number"),
            Value::Bool(_) | Value::Null => self.keep("a truth value or null"),
        }
    }

    fn text(&mut self, text: &mut String, key: &str) {
        let modifiers = || key.split('|').skip(1);
        if modifiers().any(|modifier| KEPT.contains(&modifier)) {
            return self.keep("a network, field, placeholder or comparison");
        }
        let changed = if modifiers().any(|modifier| modifier == "re") {
            literal::changed_regex(text, self.nth).ok_or("an expression without a literal in its last third")
        } else {
            literal::changed(text, self.nth).ok_or("a text without letter or digit in its last third")
        };
        match changed {
            Ok(changed) => {
                *text = changed;
                self.tally.changed += 1;
            }
            Err(reason) => self.keep(reason),
        }
    }

    fn keep(&mut self, reason: &'static str) {
        *self.tally.kept.entry(reason).or_default() += 1;
    }
}

fn json(yaml: &Yaml<'_>) -> Option<Value> {
    Some(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        Yaml::Value(Scalar::Integer(value)) => Value::from(*value),
        Yaml::Value(Scalar::FloatingPoint(value)) => Value::Number(Number::from_f64(value.into_inner())?),
        Yaml::Value(Scalar::String(text)) => Value::from(text.as_ref()),
        Yaml::Sequence(values) => Value::Array(values.iter().map(json).collect::<Option<_>>()?),
        Yaml::Mapping(map) => {
            let entries = map.iter().map(|(key, value)| Some((key.as_str()?.to_owned(), json(value)?)));
            Value::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = r"
title: A rule
id: 0d6b3a5e-1111-4222-8333-444444444444
logsource: {product: windows, category: process_creation}
detection:
  selection:
    - Image|endswith: '\cmd.exe'
      EventID: 1
    - CommandLine|contains|all: ['whoami', ' -a']
  ips: {DestinationIp|cidr: '10.0.0.0/8', User: null}
  words: [evil, '**']
  condition: selection or ips or words
";

    #[test]
    fn texts_change_and_everything_else_stays() -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let made: Value = serde_json::from_str(&make(RULE, 1, &mut tally)?)?;
        let detection = &made["detection"];
        assert_ne!(made["id"], "0d6b3a5e-1111-4222-8333-444444444444");
        assert_eq!(made["id"].as_str().map(str::len), Some(36));
        assert_eq!(made["title"], "A rule");
        assert_eq!(detection["condition"], "selection or ips or words");
        assert_eq!(detection["selection"][0]["Image|endswith"], r"\cmd.eze");
        assert_eq!(detection["selection"][0]["EventID"], 1);
        assert_eq!(detection["ips"]["DestinationIp|cidr"], "10.0.0.0/8");
        assert_eq!(detection["words"][1], "**");
        assert_eq!((tally.changed, tally.kept.values().sum::<u64>(), tally.same_rules), (4, 4, 0));
        Ok(())
    }

    #[test]
    fn each_variant_has_an_id_of_its_own() -> anyhow::Result<()> {
        let id = |nth| -> anyhow::Result<Value> {
            Ok(serde_json::from_str::<Value>(&make(RULE, nth, &mut Tally::default())?)?["id"].clone())
        };
        assert_ne!(id(0)?, id(1)?);
        assert_eq!(id(2)?, id(2)?);
        Ok(())
    }

    /// Every twentieth rule of the shared corpus, if it is there: what was valid stays valid. Those with placeholders need a
    /// site's values and compile neither before nor after.
    #[test]
    fn variants_of_real_rules_compile() -> anyhow::Result<()> {
        let Some(shared) = crate::shared() else { return Ok(()) };
        let folder = tempfile::tempdir()?;
        let mut sets = super::super::sets::Sets::new(&[shared.join("corpus/sigma/rules")], folder.path())?;
        let (list, _) = sets.list(sets.corpus() * 2)?;
        let errors = |file: &str| -> anyhow::Result<usize> {
            let compiled =
                sandtrap_compiler::compile(file, &fs::read_to_string(file)?, &sandtrap_compiler::Options::default());
            Ok(compiled.iter().filter(|compilation| compilation.component.is_none()).count())
        };
        let list = fs::read_to_string(list)?;
        let files: Vec<&str> = list.lines().collect();
        let (rules, made) = files.split_at(sets.corpus());
        for (rule, made) in rules.iter().zip(made).step_by(20) {
            assert_eq!(errors(made)?, errors(rule)?, "{rule} and {made}");
        }
        let tally = sets.tally();
        let kept: u64 = tally.kept.values().sum();
        assert!(tally.changed > kept, "{} values changed, {:?} did not", tally.changed, tally.kept);
        println!("{} changed, {:?}, {} rules the same", tally.changed, tally.kept, tally.same_rules);
        Ok(())
    }
}
