//! Verdicts as both engines can be compared by: which rule fired on which line of the events.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

/// For each rule that fired, the lines (from 1) of the events that it fired on.
#[derive(Default)]
pub(crate) struct Verdicts(pub(crate) BTreeMap<String, BTreeSet<u64>>);

impl Verdicts {
    /// From what rsigma-verdicts prints: `{"n", "id"}`.
    pub(crate) fn theirs(text: &str) -> anyhow::Result<Self> {
        Self::parse(text, |verdict| Some((verdict["id"].as_str()?.to_owned(), verdict["n"].as_u64()?)))
    }

    /// From what `sandtrap run` prints. The namespace of a detection is ours and no part of its rule's id.
    pub(crate) fn ours(text: &str) -> anyhow::Result<Self> {
        Self::parse(text, |verdict| {
            let detection = verdict["detection"].as_str()?;
            let (_, id) = detection.rsplit_once('/').unwrap_or(("", detection));
            Some((id.to_owned(), verdict["event"]["line"].as_u64()?))
        })
    }

    fn parse(text: &str, read: impl Fn(&Value) -> Option<(String, u64)>) -> anyhow::Result<Self> {
        let mut verdicts = Self::default();
        for (at, line) in text.lines().enumerate() {
            let place = || format!("line {} of the verdicts", at + 1);
            let verdict: Value = serde_json::from_str(line).with_context(place)?;
            let (rule, event) = read(&verdict).with_context(place)?;
            verdicts.0.entry(rule).or_default().insert(event);
        }
        Ok(verdicts)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_give_the_same_verdicts() -> anyhow::Result<()> {
        let ours = r#"{"detection":"sigma/r1","kind":"event","event":{"source":"e.ndjson","line":3,"offset":90}}
{"detection":"sigma/r1","kind":"event","event":{"source":"e.ndjson","line":3,"offset":90}}
{"detection":"r2","kind":"event","event":{"source":"e.ndjson","line":1,"offset":0}}"#;
        let theirs = "{\"n\":1,\"id\":\"r2\"}\n{\"n\":3,\"id\":\"r1\"}\n";
        assert_eq!(Verdicts::ours(ours)?.0, Verdicts::theirs(theirs)?.0);
        assert_eq!(Verdicts::ours(ours)?.len(), 2);
        Ok(())
    }

    #[test]
    fn what_is_no_verdict_is_named() {
        let error = Verdicts::ours("{\"detection\":\"a\",\"event\":{\"line\":1}}\n{\"detection\":\"a\"}").err();
        assert_eq!(error.map(|error| error.to_string()), Some("line 2 of the verdicts".to_owned()));
    }
}
