//! `SigmaHQ`'s regression cases: an event, and the rule that must fire on it. Which of them does rsigma get right?
//!
//! The rule is asked whatever its logsource, so that only the evaluation counts.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use super::{
    corpus::Corpus,
    rsigma::{Rsigma, question},
};

/// Counts that the manifest does not state, or states wrongly, each with its source. The manifest is of 2026-08-05.
const COUNTS: [(&str, usize, &str); 4] = [
    ("0b9ad457-2554-44c1-82c2-d56a99c42377", 3, "SigmaHQ/sigma pull request 6211 corrects 1 to 3"),
    ("8fbf3271-1ef6-4e94-8210-03c2317947f6", 3, "SigmaHQ/sigma pull request 6211 corrects 1 to 3"),
    ("c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e", 2, "SigmaHQ/sigma pull request 6211 corrects 1 to 2"),
    (
        "5bac7a56-da88-4c27-922e-c81e113b20cb",
        2,
        "none is stated; Runner.Listener.exe and Runner.Worker.exe are one case each",
    ),
];

/// A case as the manifest states it.
#[derive(Deserialize)]
struct Case {
    rule_id: String,
    title: String,
    /// How many of the events fire, 1 where `SigmaHQ` states none.
    match_count: Option<usize>,
}

/// Prints which cases fire as often as they have to.
pub(super) fn run(rsigma: &Rsigma, corpus: &Corpus) -> anyhow::Result<()> {
    let path = corpus.regression_manifest();
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let cases: Vec<Case> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let path = corpus.regression_events();
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut questions, mut events) = (Vec::new(), BTreeMap::<String, usize>::new());
    for (n, line) in (1..).zip(text.lines()) {
        let case: Value = serde_json::from_str(line).with_context(|| format!("{}:{n}", path.display()))?;
        let rule = case["rule_id"].as_str().with_context(|| format!("{}:{n}: no rule_id", path.display()))?;
        *events.entry(rule.to_owned()).or_default() += 1;
        questions.push(question(n, &case["event"].to_string(), ("rule", Value::from(rule))));
    }
    let (verdicts, _) = rsigma.verdicts(&corpus.rules()?, &questions.join("\n"))?;
    let mut right = 0;
    for case in &cases {
        let fired = verdicts.0.get(&case.rule_id).map_or(0, std::collections::BTreeSet::len);
        let events = events.get(&case.rule_id).copied().unwrap_or(0);
        let corrected = COUNTS.iter().find(|(rule, ..)| *rule == case.rule_id);
        let expected = corrected.map_or(case.match_count.unwrap_or(1), |(_, count, _)| *count);
        if let Some((rule, count, why)) = corrected {
            println!("  {rule}: {count} expected instead of {:?}: {why}", case.match_count);
        }
        if fired == expected {
            right += 1;
        } else {
            println!("  {}: fires on {fired} of {events} events, expected {expected}: {}", case.rule_id, case.title);
        }
    }
    println!("rsigma fires as stated in {right} of {} cases", cases.len());
    Ok(())
}
