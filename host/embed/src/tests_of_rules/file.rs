//! `NAME.test.yaml`: what a rule must and must not find. docs/tests.md describes the form.
//!
//! An unknown key is an error: a mistyped `verdict:` must not make a test that cannot fail.

use std::fmt;

use sandtrap_dataflow::LookbackMode;
use sandtrap_formats::yaml::{self, Data, Node, YamlError};
use serde_json::{Map, Value};

/// A test of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTest {
    /// A short sentence.
    pub name: String,
    /// Where it starts in its file, from 1.
    pub line: usize,
    /// What `now()` is, as written.
    pub now: Option<String>,
    /// Whether the query's lookback is applied.
    pub lookback: LookbackMode,
    /// The stream that the events are rows of; without one they are routed like any event.
    pub stream: Option<String>,
    /// Whether the events get to the rule.
    pub reaches: Reaches,
    /// What the rule sees.
    pub events: Vec<Map<String, Value>>,
    /// What it must say.
    pub expect: Expectation,
}

/// Whether the events of a test get to its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaches {
    /// At least one is a row of the stream that the rule reads, and each belongs to some stream.
    Stream,
    /// None is a row of the stream that the rule reads, and that is what the test is about.
    None,
}

/// What a rule must say in a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// How many rows.
    pub verdicts: usize,
    /// Some columns of each row, in order.
    pub rows: Option<Vec<Map<String, Value>>>,
}

/// What is wrong with a test file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFileError {
    line: usize,
    message: String,
}

impl TestFileError {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl fmt::Display for TestFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TestFileError {}

impl From<YamlError> for TestFileError {
    fn from(error: YamlError) -> Self {
        Self::new(error.line(), error.reason())
    }
}

/// The tests in a file's text.
pub fn parse_tests(text: &str) -> Result<Vec<RuleTest>, TestFileError> {
    let root = yaml::parse(text)?;
    let mut tests = Vec::new();
    for (_, list) in entries(&root, &["tests"])? {
        for test in list_of(list)? {
            tests.push(parse_test(test)?);
        }
    }
    if tests.is_empty() {
        return Err(TestFileError::new(root.line, "there is no test in this file; expected a list under `tests`"));
    }
    Ok(tests)
}

fn parse_test(node: &Node) -> Result<RuleTest, TestFileError> {
    let mut name = None;
    let mut expect = None;
    let mut events = None;
    let (mut now, mut lookback, mut stream, mut reaches) = (None, LookbackMode::All, None, Reaches::Stream);
    for (key, value) in entries(node, &["name", "now", "lookback", "stream", "reaches", "events", "expect", "why"])? {
        match key.as_str() {
            "name" => name = Some(text_of(value)?.to_owned()),
            "now" => now = Some(text_of(value)?.to_owned()),
            "lookback" => lookback = parse_lookback(value)?,
            "stream" => stream = Some(text_of(value)?.to_owned()),
            "reaches" => reaches = parse_reaches(value)?,
            "events" => events = Some(list_of(value)?.iter().map(object_of).collect::<Result<Vec<_>, _>>()?),
            "expect" => expect = Some(parse_expectation(value)?),
            // `why` is for people.
            _ => {
                text_of(value)?;
            }
        }
    }
    let missing = |key: &str| TestFileError::new(node.line, format!("a test needs `{key}`"));
    let test = RuleTest {
        name: name.ok_or_else(|| missing("name"))?,
        line: node.line,
        now,
        lookback,
        stream,
        reaches,
        events: events.ok_or_else(|| missing("events"))?,
        expect: expect.ok_or_else(|| missing("expect"))?,
    };
    if test.lookback == LookbackMode::Query && test.now.is_none() {
        return Err(TestFileError::new(
            node.line,
            "`lookback: query` needs `now`: a test must not depend on the clock",
        ));
    }
    if test.reaches == Reaches::None && test.stream.is_some() {
        return Err(TestFileError::new(
            node.line,
            "rows of a `stream` reach it: `stream` and `reaches: none` exclude each other",
        ));
    }
    Ok(test)
}

fn parse_reaches(node: &Node) -> Result<Reaches, TestFileError> {
    match text_of(node)? {
        "none" => Ok(Reaches::None),
        other => Err(TestFileError::new(node.line, format!("reaches is `{other}`; it can only be `none`"))),
    }
}

fn parse_lookback(node: &Node) -> Result<LookbackMode, TestFileError> {
    match text_of(node)? {
        "all" => Ok(LookbackMode::All),
        "query" => Ok(LookbackMode::Query),
        other => Err(TestFileError::new(node.line, format!("lookback is `{other}`; it can be `all` or `query`"))),
    }
}

fn parse_expectation(node: &Node) -> Result<Expectation, TestFileError> {
    let mut verdicts = None;
    let mut rows = None;
    for (key, value) in entries(node, &["verdicts", "rows"])? {
        if key == "verdicts" {
            let count = value.to_json().as_u64().and_then(|count| usize::try_from(count).ok());
            verdicts = Some(count.ok_or_else(|| TestFileError::new(value.line, "`verdicts` is a number of rows"))?);
        } else {
            rows = Some(list_of(value)?.iter().map(object_of).collect::<Result<Vec<_>, _>>()?);
        }
    }
    let rows_len = rows.as_ref().map(Vec::len);
    match (verdicts, rows_len) {
        (None, None) => Err(TestFileError::new(node.line, "`expect` needs `verdicts` or `rows`")),
        (Some(count), Some(len)) if count != len => {
            Err(TestFileError::new(node.line, format!("`verdicts` is {count}, but there are {len} `rows`")))
        }
        (count, len) => Ok(Expectation { verdicts: count.or(len).unwrap_or_default(), rows }),
    }
}

fn object_of(node: &Node) -> Result<Map<String, Value>, TestFileError> {
    match node.to_json() {
        Value::Object(object) => Ok(object),
        _ => Err(TestFileError::new(node.line, "expected a mapping of field names to values")),
    }
}

fn list_of(node: &Node) -> Result<&[Node], TestFileError> {
    match &node.data {
        Data::List(items) => Ok(items),
        _ => Err(TestFileError::new(node.line, "expected a list")),
    }
}

fn text_of(node: &Node) -> Result<&str, TestFileError> {
    match &node.data {
        Data::Scalar(Value::String(text)) => Ok(text),
        _ => Err(TestFileError::new(node.line, "expected text")),
    }
}

/// The entries of a mapping that has no other keys than these.
fn entries<'n>(node: &'n Node, known: &[&str]) -> Result<&'n [(String, Node)], TestFileError> {
    let Data::Mapping(entries) = &node.data else {
        return Err(TestFileError::new(node.line, format!("expected a mapping with the keys {}", known.join(", "))));
    };
    match entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        None => Ok(entries),
        Some((key, node)) => {
            let known = known.join(", ");
            Err(TestFileError::new(node.line, format!("unknown key `{key}`; the keys here are {known}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_test_is_read() {
        let text = "tests:
  - name: one
    now: 2024-05-01T00:00:00Z
    lookback: query
    stream: DeviceNetworkEvents
    events: [{RemotePort: 443}, {}]
    expect: {rows: [{RemotePort: 443}]}
    why: prose
  - {name: two, reaches: none, events: [{}], expect: {verdicts: 0}}
";
        let tests = parse_tests(text).expect("a sound file");
        assert_eq!((tests[0].line, tests[1].line), (2, 9));
        assert_eq!(tests[0].now.as_deref(), Some("2024-05-01T00:00:00Z"));
        assert_eq!(tests[0].lookback, LookbackMode::Query);
        assert_eq!(Value::Object(tests[0].events[0].clone()), json!({"RemotePort": 443}));
        assert_eq!((tests[0].expect.verdicts, tests[0].expect.rows.as_ref().map(Vec::len)), (1, Some(1)));
        assert_eq!([tests[0].reaches, tests[1].reaches], [Reaches::Stream, Reaches::None]);
        assert_eq!(tests[1].expect, Expectation { verdicts: 0, rows: None });
    }

    #[test]
    fn a_test_that_could_not_fail_is_refused() {
        let body = |test: &str| format!("tests:\n  - {{name: n, {test}}}\n");
        for (text, expected) in [
            (String::new(), "the file is empty"),
            ("[]".into(), "expected a mapping with the keys tests"),
            ("tests: []\n---\ntests: []".into(), "line 2: a second YAML document"),
            ("tests: []".into(), "there is no test"),
            (body("events: []"), "line 2: a test needs `expect`"),
            (body("events: [], expect: {verdict: 1}"), "unknown key `verdict`; the keys here are verdicts, rows"),
            (body("events: [], expect: {}"), "`expect` needs"),
            (body("events: [], expect: {verdicts: 2, rows: []}"), "`verdicts` is 2, but there are 0"),
            (body("events: [], expect: {verdicts: -1}"), "is a number of rows"),
            (body("events: [1], expect: {verdicts: 1}"), "expected a mapping of field names"),
            (body("lookback: query, events: [], expect: {verdicts: 1}"), "needs `now`"),
            (body("lookback: none, events: [], expect: {verdicts: 1}"), "it can be `all` or `query`"),
            (body("reaches: all, events: [{}], expect: {verdicts: 0}"), "reaches is `all`; it can only be `none`"),
            (body("reaches: none, stream: T, events: [{}], expect: {verdicts: 0}"), "exclude each other"),
        ] {
            let error = parse_tests(&text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
