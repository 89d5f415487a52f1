//! What one engine reports and the other does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;

use super::Verdicts;

/// Whose verdicts the other engine lacks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Direction {
    /// Sandtrap fires, rsigma does not.
    OnlyOurs,
    /// rsigma fires, Sandtrap does not.
    OnlyTheirs,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnlyOurs => "only Sandtrap",
            Self::OnlyTheirs => "only rsigma",
        })
    }
}

/// How two sets of verdicts compare.
#[derive(Default)]
pub(crate) struct Differences {
    /// How many verdicts both have.
    pub(crate) common: usize,
    /// For each rule and direction with a difference, the lines of the events.
    pub(crate) of_rule: BTreeMap<(String, Direction), BTreeSet<u64>>,
}

/// Compares them.
pub(crate) fn differences(ours: &Verdicts, theirs: &Verdicts) -> Differences {
    let none = BTreeSet::new();
    let rules: BTreeSet<&String> = ours.0.keys().chain(theirs.0.keys()).collect();
    let mut differences = Differences::default();
    for rule in rules {
        let (ours, theirs) = (ours.0.get(rule).unwrap_or(&none), theirs.0.get(rule).unwrap_or(&none));
        differences.common += ours.intersection(theirs).count();
        for (direction, first, second) in [(Direction::OnlyOurs, ours, theirs), (Direction::OnlyTheirs, theirs, ours)] {
            let events: BTreeSet<u64> = first.difference(second).copied().collect();
            if !events.is_empty() {
                differences.of_rule.insert((rule.clone(), direction), events);
            }
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_both_ways() -> anyhow::Result<()> {
        let theirs = "{\"n\":1,\"id\":\"a\"}\n{\"n\":2,\"id\":\"a\"}\n{\"n\":9,\"id\":\"b\"}";
        let ours = "{\"n\":2,\"id\":\"a\"}\n{\"n\":3,\"id\":\"a\"}\n{\"n\":9,\"id\":\"c\"}";
        let found = differences(&Verdicts::theirs(ours)?, &Verdicts::theirs(theirs)?);
        let expected = [
            ("a", Direction::OnlyOurs, 3),
            ("a", Direction::OnlyTheirs, 1),
            ("b", Direction::OnlyTheirs, 9),
            ("c", Direction::OnlyOurs, 9),
        ];
        let expected = expected.map(|(rule, direction, event)| ((rule.to_owned(), direction), BTreeSet::from([event])));
        assert_eq!((found.common, found.of_rule), (1, BTreeMap::from(expected)));
        Ok(())
    }
}
