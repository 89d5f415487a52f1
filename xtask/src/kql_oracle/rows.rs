//! Which rows the hunts return: duckdb-kql against Sandtrap, over the same generated tables and at the same `now`.
//!
//! The tables have no value of a kind over which the engines are known to differ; each of those kinds then gets tables
//! of its own, over which they must still differ. So every difference is either new or has a reason in explained.json.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use sandtrap_compiler::kql;
use serde_json::{Value, json};

use super::{
    Options,
    compare::{Difference, Rows},
    explained::Explained,
    hunts::{self, Query},
    tools::{self, Tools},
};

/// The clock of every run. The tables have events around the edges of the hunts' windows before it.
const NOW: &str = "2024-05-02T12:00:00Z";

/// The kinds of decorated values that rows.py knows.
const KINDS: [&str; 8] =
    ["terms", "delimiters", "other-numbers", "occurrences", "case", "long-s", "dotted-i", "almost"];

/// A hunt that matches fewer events than this was hardly tested.
const MATCHED_EVENTS_MIN: u64 = 5;

/// How many of the hunts may match fewer than [`MATCHED_EVENTS_MIN`], in percent.
const HARDLY_TESTED_PERCENT_MAX: usize = 5;

/// How many rows of a difference are printed.
const PRINTED_ROWS_MAX: usize = 3;

/// Compares the engines over every hunt, prints the report and returns how many differences nobody has explained.
pub(super) fn check(tools: &Tools, explained: &Explained, options: &Options) -> anyhow::Result<usize> {
    let hunts: Vec<Query> = hunts::all()?.into_iter().filter(|query| query.is_hunt).collect();
    let (hunts, refused): (Vec<_>, Vec<_>) = hunts.into_iter().partition(|hunt| refusal(&hunt.text).is_none());
    let sandtrap = build_sandtrap()?;
    let agreed = KINDS.into_iter().filter(|kind| explained.values.iter().all(|known| known.kind != *kind)).collect();
    let run = Run {
        tools,
        sandtrap: &sandtrap,
        hunts: &hunts,
        name: "agreed",
        kinds: agreed,
        rows: options.rows,
        seed: options.seed,
    };

    println!("rows: {} hunts over tables of {} rows, now = {NOW}, {}", hunts.len(), options.rows, tools::DUCKDB_KQL);
    for hunt in &refused {
        println!("  refused: {}: {}", hunt.path, refusal(&hunt.text).unwrap_or_default());
    }
    let answers = run.answers()?;
    print_counts(&answers)?;
    let mut unexplained = report(&answers);

    for known in &explained.values {
        let answers = Run { name: &known.kind, kinds: vec![&known.kind], ..run }.answers()?;
        let differing = answers.iter().filter(|answer| answer.difference().is_some()).count();
        println!("  explained: {} ({differing} hunts differ): {}", known.kind, known.reason);
        if differing == 0 {
            unexplained += 1;
            println!("  STALE: explained.json names {}, over which the engines agree", known.kind);
        }
    }
    Ok(unexplained)
}

/// The first reason why Sandtrap refuses a query, if it does.
fn refusal(text: &str) -> Option<String> {
    let parsed = kql::parse(text);
    let bound = parsed.query.map(|query| kql::bind(&query, &kql::BindOptions::default()));
    let mut found = parsed.diagnostics.into_iter().chain(bound.into_iter().flat_map(|bound| bound.diagnostics));
    found.find(sandtrap_compiler::diagnostic::Diagnostic::is_error).map(|error| error.to_string())
}

/// Builds the `sandtrap` command as tests do and says where it is.
fn build_sandtrap() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    tools::run(Command::new(cargo).args(["build", "--quiet", "--package", "sandtrap"]).current_dir(crate::root()))?;
    let beside = std::env::current_exe()?.with_file_name("sandtrap");
    ensure!(beside.is_file(), "cargo built no {}", beside.display());
    Ok(beside)
}

/// One run of both engines over one set of tables.
#[derive(Clone)]
struct Run<'a> {
    tools: &'a Tools,
    sandtrap: &'a Path,
    hunts: &'a [Query],
    name: &'a str,
    kinds: Vec<&'a str>,
    rows: u32,
    seed: u32,
}

/// What the engines answered to one hunt.
struct Answer<'a> {
    hunt: &'a Query,
    ours: Rows,
    theirs: Theirs,
}

/// What duckdb-kql answered to one hunt.
struct Theirs {
    /// The rows, or why there are none.
    rows: Result<Rows, String>,
    /// How many events the rows stand for: what their `Count` adds up to, else how many they are.
    events: u64,
}

impl Answer<'_> {
    fn difference(&self) -> Option<Difference> {
        self.theirs.rows.as_ref().ok().and_then(|theirs| self.ours.difference(theirs))
    }
}

impl<'a> Run<'a> {
    /// Generates the tables, asks both engines, and pairs their answers.
    fn answers(&self) -> anyhow::Result<Vec<Answer<'a>>> {
        let folder = self.tools.folder.join("runs").join(self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        let (tables, rules) = (folder.join("tables"), folder.join("hunts"));
        for folder in [&tables, &rules] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let queries = folder.join("queries.jsonl");
        tools::write_lines(&queries, self.hunts.iter().map(|hunt| json!({"id": hunt.id, "query": hunt.text})))?;
        let (rows, seed) = (self.rows.to_string(), self.seed.to_string());
        let mut generate = Tools::script(self.tools.python(), "rows.py");
        generate.arg(&queries).arg(&tables).args([&rows, &seed, NOW]).args(&self.kinds);
        tools::run(&mut generate)?;
        let mut theirs = self.duckdb_kql(&queries, &tables)?;
        let mut ours = self.sandtrap(&folder, &tables, &rules)?;
        let answer = |hunt: &'a Query| {
            let theirs = theirs.remove(&hunt.id).with_context(|| format!("no answer to {}", hunt.id))?;
            Ok(Answer { hunt, ours: ours.remove(&hunt.id).unwrap_or_default(), theirs })
        };
        let answers = self.hunts.iter().map(answer).collect();
        ensure!(ours.is_empty(), "Sandtrap answered what was not asked: {:?}", ours.keys());
        answers
    }

    /// What duckdb-kql answers, by hunt.
    fn duckdb_kql(&self, queries: &Path, tables: &Path) -> anyhow::Result<BTreeMap<String, Theirs>> {
        let mut command = Tools::script(self.tools.python(), "duckdb_side.py");
        let printed = tools::read(command.arg(queries).arg(tables).arg(NOW))?;
        let mut answers = BTreeMap::new();
        for answer in tools::parse_lines(&printed)? {
            let id = answer["id"].as_str().context("an answer without an id")?.to_owned();
            let answer = match answer["error"].as_str() {
                Some(error) => Theirs { rows: Err(error.to_owned()), events: 0 },
                None => table(&answer)?,
            };
            answers.insert(id, answer);
        }
        Ok(answers)
    }

    /// What Sandtrap answers, by hunt.
    fn sandtrap(&self, folder: &Path, tables: &Path, rules: &Path) -> anyhow::Result<BTreeMap<String, Rows>> {
        let events = folder.join("events.ndjson");
        let mut all = Vec::new();
        for table in fs::read_dir(tables)? {
            all.extend(fs::read(table?.path())?);
        }
        fs::write(&events, all).with_context(|| format!("cannot write {}", events.display()))?;
        for hunt in self.hunts {
            fs::write(rules.join(format!("{}.kql", hunt.id)), &hunt.text)?;
        }
        let mut command = Command::new(self.sandtrap);
        command.arg("run").arg(rules).arg("--events").arg(&events);
        let printed = tools::read(command.args(["--lookback", "query", "--now", NOW, "--format", "json"]))?;
        fs::write(folder.join("verdicts.ndjson"), &printed)?;
        let mut answers = BTreeMap::<String, Rows>::new();
        for verdict in tools::parse_lines(&printed)? {
            let (Some(detection), Value::Object(columns)) = (verdict["detection"].as_str(), &verdict["columns"]) else {
                bail!("a verdict without detection or columns: {verdict}");
            };
            let id = detection.rsplit('/').next().unwrap_or(detection);
            answers.entry(id.to_owned()).or_default().add(columns.clone().into_iter());
        }
        Ok(answers)
    }
}

/// The table that `duckdb_side.py` printed.
fn table(answer: &Value) -> anyhow::Result<Theirs> {
    let columns = answer["columns"].as_array().context("an answer without columns")?;
    let names: Vec<&str> = columns.iter().filter_map(Value::as_str).collect();
    let (mut rows, mut events) = (Rows::default(), 0);
    for cells in answer["rows"].as_array().context("an answer without rows")? {
        let cells = cells.as_array().context("a row without cells")?;
        let row = names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.clone()));
        let counted = names.iter().zip(cells).find(|(name, _)| **name == "Count").and_then(|(_, cell)| cell.as_u64());
        events += counted.unwrap_or(1);
        rows.add(row);
    }
    Ok(Theirs { rows: Ok(rows), events })
}

/// How much each hunt returned: a comparison of empty tables would be none.
fn print_counts(answers: &[Answer<'_>]) -> anyhow::Result<()> {
    println!("  rows (events) of each hunt in duckdb-kql:");
    for line in answers.chunks(4) {
        let cell = |answer: &Answer<'_>| {
            let name = answer.hunt.path.rsplit('/').next().unwrap_or(&answer.hunt.path).trim_end_matches(".yaml");
            let rows = answer.theirs.rows.as_ref().map_or(0, Rows::len);
            format!("{name} {rows} ({})", answer.theirs.events)
        };
        println!("    {}", line.iter().map(cell).collect::<Vec<_>>().join("; "));
    }
    let hardly = answers.iter().filter(|answer| answer.theirs.events < MATCHED_EVENTS_MIN).count();
    let most = answers.len() * HARDLY_TESTED_PERCENT_MAX / 100;
    ensure!(hardly <= most, "{hardly} hunts match fewer than {MATCHED_EVENTS_MIN} events: the tables test too little");
    Ok(())
}

/// Prints the hunts that differ or that duckdb-kql cannot run, and returns how many they are.
fn report(answers: &[Answer<'_>]) -> usize {
    let mut agreeing = 0;
    for answer in answers {
        if let Err(error) = &answer.theirs.rows {
            println!("  UNEXPLAINED: duckdb-kql cannot run {}: {error}", answer.hunt.path);
        } else if let Some(difference) = answer.difference() {
            println!("  UNEXPLAINED: {} ({}) returns different rows:", answer.hunt.path, answer.hunt.id);
            for (who, rows) in [("Sandtrap", &difference.first), ("duckdb-kql", &difference.second)] {
                println!("    {} only in {who}", rows.len());
                rows.iter().take(PRINTED_ROWS_MAX).for_each(|row| println!("      {row}"));
            }
        } else {
            agreeing += 1;
        }
    }
    println!("  {agreeing} of {} hunts return the same rows", answers.len());
    answers.len().saturating_sub(agreeing)
}
