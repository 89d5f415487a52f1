//! Differences that are understood: `xtask/sigma_oracle/explained.json`.
//!
//! An entry says how many verdicts of each of its rules it explains, no more and no fewer, so that it can neither hide
//! another difference of the same rule nor outlive its reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::compare::{Differences, Direction};
use crate::root;

/// How many events of a difference are named.
const SHOWN_MAX: usize = 5;

/// A kind of difference that is understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explained {
    /// What to call it.
    class: String,
    /// Whose verdicts the other engine lacks.
    direction: Direction,
    /// Who is right, and why.
    why: String,
    /// The section of the specification that decides it.
    spec: String,
    /// The rules, each with the number of verdicts on windows-100k.
    rules: BTreeMap<String, usize>,
}

/// Reads the file.
pub(crate) fn load() -> anyhow::Result<Vec<Explained>> {
    let path = root().join("xtask/sigma_oracle/explained.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("cannot understand {}", path.display()))
}

fn parse(text: &str) -> anyhow::Result<Vec<Explained>> {
    let entries: Vec<Explained> = serde_json::from_str(text)?;
    let mut seen = BTreeSet::new();
    for entry in &entries {
        ensure!(!entry.why.is_empty() && !entry.spec.is_empty(), "{} does not say why", entry.class);
        for rule in entry.rules.keys() {
            ensure!(seen.insert((rule, entry.direction)), "{rule} is explained twice ({})", entry.direction);
        }
    }
    Ok(entries)
}

/// Prints the differences and returns how many rules, in one direction, are not explained, or explained for nothing.
/// Numbers are those of windows-100k: with other events only rule and direction have to agree.
pub(crate) fn report(differences: &Differences, explained: &[Explained], numbers_hold: bool) -> usize {
    let lines = lines(differences, explained, numbers_hold);
    println!("{} verdicts in common", differences.common);
    for line in &lines {
        println!("  {}", line.text);
    }
    lines.iter().filter(|line| line.is_error).count()
}

/// A line of the report.
struct Line {
    text: String,
    is_error: bool,
}

fn lines(differences: &Differences, explained: &[Explained], numbers_hold: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((rule, direction), events) in &differences.of_rule {
        let known = explained.iter().find(|known| known.direction == *direction && known.rules.contains_key(rule));
        let expected = known.and_then(|known| known.rules.get(rule));
        let found = events.len();
        let (text, is_error) = match (known, expected) {
            (Some(known), Some(expected)) if !numbers_hold || *expected == found => (
                format!("explained: {rule}: {direction}, {found}: {} ({}; {})", known.class, known.why, known.spec),
                false,
            ),
            (Some(known), Some(expected)) => {
                (format!("CHANGED: {rule}: {direction}, {found}, explained are {expected} ({})", known.class), true)
            }
            _ => {
                let shown: Vec<String> = events.iter().take(SHOWN_MAX).map(u64::to_string).collect();
                (format!("UNEXPLAINED: {rule}: {direction}, {found}, such as on lines {}", shown.join(", ")), true)
            }
        };
        lines.push(Line { text, is_error });
    }
    for known in explained.iter().filter(|_| numbers_hold) {
        for rule in known.rules.keys() {
            if !differences.of_rule.contains_key(&(rule.clone(), known.direction)) {
                let text = format!("STALE: {rule}: {}, where the engines agree ({})", known.direction, known.class);
                lines.push(Line { text, is_error: true });
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: &str = r#"[{"class": "c", "direction": "only-ours", "why": "w", "spec": "s",
        "rules": {"right": 2, "changed": 1, "stale": 1}}]"#;

    fn found() -> Differences {
        let of_rule = [("right", [1, 2]), ("changed", [1, 2]), ("new", [1, 7])];
        let of_rule = of_rule.map(|(rule, events)| ((rule.to_owned(), Direction::OnlyOurs), BTreeSet::from(events)));
        Differences { common: 0, of_rule: BTreeMap::from(of_rule) }
    }

    fn errors(numbers_hold: bool) -> anyhow::Result<Vec<String>> {
        let lines = lines(&found(), &parse(ENTRIES)?, numbers_hold);
        let errors = lines.into_iter().filter(|line| line.is_error);
        Ok(errors
            .filter_map(|line| {
                Some(line.text.split(": ").take(2).collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
            })
            .collect())
    }

    #[test]
    fn new_changed_and_stale_differences_are_errors() -> anyhow::Result<()> {
        assert_eq!(errors(true)?, ["CHANGED changed", "UNEXPLAINED new", "STALE stale"]);
        Ok(())
    }

    #[test]
    fn with_other_events_only_new_ones_are() -> anyhow::Result<()> {
        assert_eq!(errors(false)?, ["UNEXPLAINED new"]);
        Ok(())
    }

    #[test]
    fn the_committed_file_is_well_formed() -> anyhow::Result<()> {
        load().map(drop)
    }

    #[test]
    fn an_entry_needs_a_reason_and_a_rule_only_one_entry() {
        for (entries, error) in [
            (r#"[{"class":"c","direction":"only-ours","why":"","spec":"s","rules":{}}]"#, "c does not say why"),
            (
                r#"[{"class":"c","direction":"only-theirs","why":"w","spec":"s","rules":{"r":1}},
                    {"class":"d","direction":"only-theirs","why":"w","spec":"s","rules":{"r":1}}]"#,
                "r is explained twice (only rsigma)",
            ),
        ] {
            assert_eq!(parse(entries).err().map(|found| found.to_string()).as_deref(), Some(error));
        }
    }
}
