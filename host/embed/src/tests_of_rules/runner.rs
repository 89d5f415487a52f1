//! Runs a rule's tests and says how each came out.

use std::{
    collections::HashSet,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sandtrap_formats::{
    convert::{self, Converted, parse_datetime},
    event::{Event, Position},
    streams::StreamMap,
    verdict::{Verdict, VerdictColumn, VerdictValue, cell_to_json},
};
use sandtrap_wit::{LogicalType, batch::Cell};
use serde_json::{Map, Value};

use super::{RuleTest, TestFileError, parse_tests, reach};
use crate::{
    evaluator::{Evaluator, Options, Pruning, Reporting, Unevaluated},
    rules::{Rule, discover, discover_tests},
};

/// The longest test file that is read, in bytes.
pub const TEST_FILE_BYTES_MAX: u64 = 16 << 20;

/// How a test came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The test.
    pub name: String,
    /// Where it starts in its file.
    pub line: usize,
    /// What was wrong; empty when it passed.
    pub complaints: Vec<String>,
}

impl TestOutcome {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.complaints.is_empty()
    }
}

/// Why a rule's tests could not be run.
#[derive(Debug)]
pub enum TestsError {
    /// The file cannot be read.
    Io(io::Error),
    /// The file does not hold tests.
    File(TestFileError),
}

impl fmt::Display for TestsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TestsError {}

/// The file that holds a rule's tests: `NAME.test.yaml`, or `.yml`, beside `NAME.kql`, `.yaml` or `.wasm`. `None` when
/// there is none.
pub fn test_file_of(rule: &Path) -> Option<PathBuf> {
    ["test.yaml", "test.yml"].into_iter().map(|extension| rule.with_extension(extension)).find(|file| file.is_file())
}

/// The test files in the folders among `paths` that test no rule there: none of that name, or another file of tests is
/// taken for it.
pub fn unused_test_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let used: HashSet<PathBuf> = discover(paths).0.iter().filter_map(|rule| test_file_of(rule)).collect();
    discover_tests(paths).into_iter().filter(|file| !used.contains(file)).collect()
}

/// Runs the tests in `file` on a rule.
pub fn run_tests(rule: &Rule, file: &Path, streams: &Arc<StreamMap>) -> Result<Vec<TestOutcome>, TestsError> {
    let bytes = fs::metadata(file).map_err(TestsError::Io)?.len();
    if bytes > TEST_FILE_BYTES_MAX {
        let limit = TEST_FILE_BYTES_MAX >> 20;
        return Err(TestsError::Io(io::Error::other(format!(
            "the file has {bytes} bytes; tests may have {limit} MiB"
        ))));
    }
    let text = fs::read_to_string(file).map_err(TestsError::Io)?;
    let tests = parse_tests(&text).map_err(TestsError::File)?;
    let source: Arc<str> = file.to_string_lossy().into();
    Ok(tests.iter().map(|test| run_test(rule, test, &source, streams)).collect())
}

fn run_test(rule: &Rule, test: &RuleTest, source: &Arc<str>, streams: &Arc<StreamMap>) -> TestOutcome {
    let complaints = match found_by(rule, test, source, streams) {
        Ok(found) => {
            let mut complaints = found.astray;
            complaints.extend(found.unevaluated.iter().map(ToString::to_string));
            complaints.extend(compare(test, &found.verdicts));
            complaints
        }
        Err(complaint) => vec![complaint],
    };
    TestOutcome { name: test.name.clone(), line: test.line, complaints }
}

/// What came of a test's events.
struct Found {
    /// The rows of the rule's table.
    verdicts: Vec<Verdict>,
    unevaluated: Vec<Unevaluated>,
    /// What is wrong with where the events went.
    astray: Vec<String>,
}

fn found_by(rule: &Rule, test: &RuleTest, source: &Arc<str>, streams: &Arc<StreamMap>) -> Result<Found, String> {
    let now = match &test.now {
        // Any fixed instant will do: a test must not depend on the clock.
        None => 0,
        Some(written) => {
            parse_datetime(written).ok_or_else(|| format!("now is `{written}`, which is not an ISO 8601 datetime"))?
        }
    };
    let options = Options { now, lookback: test.lookback, reporting: Reporting::Tables, pruning: Pruning::Index };
    let mut evaluator = Evaluator::new(std::slice::from_ref(rule), options).map_err(|error| error.to_string())?;
    let position = Position { source: Arc::clone(source), line: test.line as u64, record: None, offset: 0 };
    let event = |fields: &Map<String, Value>| Event { fields: fields.clone(), position: position.clone() };
    let events: Vec<Event> = test.events.iter().map(event).collect();
    let astray = reach::complaints(test, &events, evaluator.wanted(), streams);
    let mut worker = evaluator.worker(streams);
    for event in events {
        match &test.stream {
            Some(stream) => worker.push_row(stream, &event),
            None => worker.push(event),
        }
    }
    let mut unevaluated = evaluator.take(worker.evaluate()).unevaluated;
    let (answers, more) = evaluator.finish();
    unevaluated.extend(more);
    let verdicts = answers.iter().flat_map(|answer| evaluator.verdicts_of(answer)).collect();
    Ok(Found { verdicts, unevaluated, astray })
}

fn compare(test: &RuleTest, verdicts: &[Verdict]) -> Vec<String> {
    let mut complaints = Vec::new();
    if verdicts.len() != test.expect.verdicts {
        complaints.push(format!("expected {} verdicts, found {}", test.expect.verdicts, verdicts.len()));
        complaints.extend(verdicts.iter().map(|verdict| format!("found {}", shown(verdict))));
    }
    for (number, (expected, verdict)) in test.expect.rows.iter().flatten().zip(verdicts).enumerate() {
        let differences = differences(expected, verdict);
        if !differences.is_empty() {
            complaints.push(format!("row {}: {}", number.saturating_add(1), differences.join("; ")));
        }
    }
    complaints
}

fn differences(expected: &Map<String, Value>, verdict: &Verdict) -> Vec<String> {
    expected
        .iter()
        .filter_map(|(name, expected)| {
            let Some(column) = verdict.columns.iter().find(|column| *column.name == **name) else {
                let names: Vec<&str> = verdict.columns.names().collect();
                return Some(format!("there is no column {name}; the columns are {}", names.join(", ")));
            };
            let found = column.to_json();
            (canonical(expected, &column) != found).then(|| format!("{name} is {found}, expected {expected}"))
        })
        .collect()
}

/// The expected value as a verdict would show it. A list of one element may be written as a list.
fn canonical(expected: &Value, column: &VerdictColumn<'_>) -> Value {
    match (&column.value, expected) {
        (VerdictValue::List(_), Value::Array(elements)) => match elements.as_slice() {
            [only] => canonical_cell(only, column.ty),
            other => other.iter().map(|element| canonical_cell(element, column.ty)).collect(),
        },
        _ => canonical_cell(expected, column.ty),
    }
}

/// A datetime may be written in any form that events may have.
fn canonical_cell(expected: &Value, ty: LogicalType) -> Value {
    match convert::from_json(expected, ty) {
        Converted::Unconvertible => expected.clone(),
        converted => match converted.as_cell() {
            Cell::Null if ty == LogicalType::String => Value::Null,
            cell => cell_to_json(ty, cell),
        },
    }
}

fn shown(verdict: &Verdict) -> String {
    let cells = verdict.columns.iter().map(|column| (column.name.to_string(), column.to_json()));
    Value::Object(cells.collect()).to_string()
}
