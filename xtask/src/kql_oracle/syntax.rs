//! Which queries are well-formed: Microsoft's parser against ours.
//!
//! Only syntax is compared. A construct that we know and refuse by name is not a disagreement: it is counted apart.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use sandtrap_compiler::{diagnostic::Diagnostic, kql};
use serde_json::{Value, json};

use super::{
    explained::Explained,
    hunts::{self, Query},
    tools::{self, Tools},
};

/// Codes of our parser for what is well-formed and refused all the same: a text without a result or with several,
/// nesting beyond the limit, statements other than `let`, several names for one expression. docs/diagnostics.md has all.
const REFUSALS: [&str; 5] = ["KQL0202", "KQL0204", "KQL0205", "KQL0206", "KQL0207"];

/// What the codes of the binder for unsupported constructs begin with. The parser skips over those, so it cannot say
/// whether their inside is well-formed.
const UNSUPPORTED: &str = "KQL05";

/// How a query fared with both parsers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    BothAccept,
    BothRefuse,
    WeRefuseAConstruct,
    OnlyTheyAccept,
    OnlyWeAccept,
}

impl Agreement {
    fn title(self) -> &'static str {
        match self {
            Self::BothAccept => "accepted by both",
            Self::BothRefuse => "refused by both",
            Self::WeRefuseAConstruct => "with a construct that we refuse by name",
            Self::OnlyTheyAccept => "accepted only by Microsoft's parser",
            Self::OnlyWeAccept => "accepted only by ours",
        }
    }

    fn is_disagreement(self) -> bool {
        matches!(self, Self::OnlyTheyAccept | Self::OnlyWeAccept)
    }
}

/// What our parser says of a query.
enum Ours {
    Accepts,
    /// A construct it knows and does not support.
    RefusesConstruct,
    Refuses(String),
}

/// Compares the parsers over every query, prints the report and returns how many disagreements nobody has explained.
pub(super) fn check(tools: &Tools, explained: &Explained) -> anyhow::Result<usize> {
    let queries = hunts::all()?;
    let theirs = microsoft(tools, &queries)?;
    let mut counts = BTreeMap::<Agreement, usize>::new();
    let mut unexplained = 0;
    let mut used = BTreeSet::new();
    println!("syntax: {} queries, {}", queries.len(), tools::LANGUAGE_SERVICE);
    for (query, theirs) in queries.iter().zip(&theirs) {
        let ours = parse(&query.text);
        let agreement = match (&ours, theirs) {
            (Ours::Accepts, None) => Agreement::BothAccept,
            (Ours::RefusesConstruct, _) => Agreement::WeRefuseAConstruct,
            (Ours::Refuses(_), Some(_)) => Agreement::BothRefuse,
            (Ours::Refuses(_), None) => Agreement::OnlyTheyAccept,
            (Ours::Accepts, Some(_)) if has_unsupported(&query.text) => Agreement::WeRefuseAConstruct,
            (Ours::Accepts, Some(_)) => Agreement::OnlyWeAccept,
        };
        *counts.entry(agreement).or_default() += 1;
        if !agreement.is_disagreement() {
            continue;
        }
        let why = match &ours {
            Ours::Refuses(why) => why,
            _ => theirs.as_deref().unwrap_or_default(),
        };
        if let Some(known) = explained.syntax.iter().find(|known| query.path.ends_with(&known.path)) {
            used.insert(&known.path);
            println!("  explained: {}: {}", query.path, known.reason);
        } else {
            unexplained += 1;
            println!("  UNEXPLAINED: {} ({}) {}: {why}", query.path, query.id, agreement.title());
        }
    }
    for (agreement, count) in counts {
        println!("  {count:>5} {}", agreement.title());
    }
    // Without the corpus its entries cannot be used, and are no less true.
    let has_corpus = queries.iter().any(|query| query.path.contains(": "));
    for known in explained.syntax.iter().filter(|known| has_corpus && !used.contains(&known.path)) {
        unexplained += 1;
        println!("  STALE: explained.json names {}, over which the parsers agree", known.path);
    }
    Ok(unexplained)
}

/// The first syntax error that Microsoft's parser finds in each query, if any.
fn microsoft(tools: &Tools, queries: &[Query]) -> anyhow::Result<Vec<Option<String>>> {
    let path = tools.folder.join("syntax.jsonl");
    tools::write_lines(&path, queries.iter().map(|query| json!({"id": query.id, "query": query.text})))?;
    let answers = tools::read(Tools::script("node", "parse.cjs").arg(tools.modules()).arg(&path))?;
    let answers = tools::parse_lines(&answers)?;
    ensure!(answers.len() == queries.len(), "{} answers for {} queries", answers.len(), queries.len());
    let first = |(query, answer): (&Query, &Value)| {
        ensure!(answer["id"] == query.id.as_str(), "an answer for {} where {} was asked", answer["id"], query.id);
        let errors = answer["errors"].as_array().context("an answer without errors")?;
        Ok(errors.first().map(|error| format!("{}: {}", error["code"], error["message"])))
    };
    queries.iter().zip(&answers).map(first).collect()
}

/// What our parser says.
fn parse(text: &str) -> Ours {
    let mut diagnostics = kql::parse(text).diagnostics.into_iter();
    match diagnostics.find(Diagnostic::is_error) {
        None => Ours::Accepts,
        Some(first) if REFUSALS.contains(&first.code) => Ours::RefusesConstruct,
        Some(first) => Ours::Refuses(first.to_string()),
    }
}

/// Whether a query that our parser accepts has a construct that it skipped over.
fn has_unsupported(text: &str) -> bool {
    let bound = kql::parse(text).query.map(|query| kql::bind(&query, &kql::BindOptions::default()));
    bound.is_some_and(|bound| bound.diagnostics.iter().any(|found| found.code.starts_with(UNSUPPORTED)))
}
