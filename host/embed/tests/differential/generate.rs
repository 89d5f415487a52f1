//! Random queries and random rows, made to meet at the edges: needles are cut from the same pieces as the texts.

use std::fmt::Write as _;

use sandtrap_compiler::reference::Value;
use sandtrap_wit::LogicalType;

use crate::random::Random;

/// The fixed `now` of every run: 2024-05-01T00:00:00Z.
pub(crate) const NOW: i64 = 17_145_216_000_000_000;

/// The table that queries read, with the columns of it that they use.
pub(crate) const TABLE: &str = "DeviceNetworkEvents";

/// The columns, all of them real ones of the table.
pub(crate) const COLUMNS: &[(&str, LogicalType)] = &[
    ("RemoteUrl", LogicalType::String),
    ("DeviceName", LogicalType::String),
    ("InitiatingProcessFileName", LogicalType::String),
    ("RemotePort", LogicalType::Int),
    ("LocalPort", LogicalType::Int),
    ("ReportId", LogicalType::Long),
    ("InitiatingProcessId", LogicalType::Long),
    ("Timestamp", LogicalType::Datetime),
    ("InitiatingProcessCreationTime", LogicalType::Datetime),
    ("IsInitiatingProcessRemoteSession", LogicalType::Bool),
];

const TEXTS: &[&str] = &["RemoteUrl", "DeviceName", "InitiatingProcessFileName"];
const INTEGERS: &[&str] = &["RemotePort", "LocalPort", "ReportId", "InitiatingProcessId"];
const TIMES: &[&str] = &["Timestamp", "InitiatingProcessCreationTime"];

/// What texts and needles are made of.
const PIECES: &[&str] = &[
    "kvm",
    "KVM",
    "\u{212A}vm",
    "a",
    "A",
    "b",
    "é",
    "É",
    "ß",
    "ẞ",
    "ſ",
    "s",
    "_",
    ".",
    "-",
    " ",
    "/",
    "server",
    "eye",
    "Krämer",
    "KRÄMER",
    ".de",
    ".exe",
    "1",
    "٣",
    "中",
    "½",
    "İ",
    "i",
    "%",
    "'",
    "\\",
    "\t",
    "ab",
    "aba",
    "ﬁ",
    "\u{301}",
    "\u{345}",
    "Ⅷ",
    "😀",
];

/// A text: a few pieces, often none.
fn text(random: &mut Random, pieces_max: usize) -> String {
    (0..random.below(pieces_max + 1)).map(|_| random.pick(PIECES)).collect()
}

/// A KQL string literal.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

/// One row of [`COLUMNS`]. Text is never null; everything else is one time in five.
pub(crate) fn row(random: &mut Random) -> Vec<Value> {
    COLUMNS
        .iter()
        .map(|(_, ty)| match ty {
            LogicalType::String => Value::String(text(random, 5)),
            _ if random.once_in(5) => Value::Null,
            LogicalType::Bool => Value::Bool(random.once_in(2)),
            LogicalType::Datetime => Value::Datetime(NOW - duration(random)),
            _ => Value::Long(number(random)),
        })
        .collect()
}

fn number(random: &mut Random) -> i64 {
    [0, 1, -1, 2, 3, -5, 7, 80, 443, 623, 5900, 8080, 65535][random.below(13)]
}

/// Ticks, from a week back to a day ahead, with repeats.
fn duration(random: &mut Random) -> i64 {
    let hours = [0, 1, 5, 23, 24, 25, 48, 120, 168, -1, -24][random.below(11)];
    hours * sandtrap_wit::TICKS_PER_HOUR + [0, 0, 1, -1][random.below(4)]
}

/// A query over [`TABLE`].
pub(crate) fn query(random: &mut Random) -> String {
    let mut query = String::from(TABLE);
    for _ in 0..=random.below(2) {
        write!(query, "\n| where {}", boolean(random, 3)).expect("a string takes everything");
    }
    if random.once_in(3) {
        write!(query, "\n| extend X = {}", scalar(random, 2)).expect("a string takes everything");
        if random.once_in(2) {
            write!(query, ", RemoteUrl = {}", string(random, 1)).expect("a string takes everything");
        }
        write!(query, "\n| where {}", boolean(random, 2)).expect("a string takes everything");
    }
    match random.below(5) {
        0 => query += &project(random),
        1 => query += &summarize(random),
        2 => query += &sorted(random),
        _ => {}
    }
    query
}

fn project(random: &mut Random) -> String {
    format!("\n| project ReportId, Y = {}, {}", scalar(random, 2), random.pick(TEXTS))
}

/// A sort in the middle: what stands above it holds for its rows.
fn sorted(random: &mut Random) -> String {
    let key = random.pick(&[TEXTS, INTEGERS, TIMES].concat()).to_owned();
    let nulls = random.pick(&["", " nulls first", " nulls last"]);
    let mut operators = format!("\n| sort by {key}{}{nulls}", random.pick(&["", " asc", " desc"]));
    if random.below(3) > 0 {
        write!(operators, "\n| where {}", boolean(random, 2)).expect("a string takes everything");
    }
    if random.once_in(2) {
        write!(operators, "\n| extend Z = {}", scalar(random, 2)).expect("a string takes everything");
    }
    if random.once_in(3) {
        operators += "\n| sort by ReportId";
    }
    if random.below(3) > 0 {
        operators += &project(random);
    }
    operators
}

fn summarize(random: &mut Random) -> String {
    let mut aggregates = vec!["n = count()".to_owned()];
    for index in 0..random.below(4) {
        let column = random.pick(&[TEXTS, INTEGERS, TIMES].concat());
        let function = random.pick(&["min", "max", "make_set", "dcount"]);
        aggregates.push(format!("a{index} = {function}({column})"));
    }
    let mut operator = format!("\n| summarize {}", aggregates.join(", "));
    match random.below(4) {
        0 => {}
        1 => write!(operator, " by {}", random.pick(TEXTS)).expect("a string takes everything"),
        2 => write!(operator, " by {}, {}", random.pick(INTEGERS), random.pick(TEXTS))
            .expect("a string takes everything"),
        _ => write!(operator, " by k = {}", scalar(random, 1)).expect("a string takes everything"),
    }
    if random.once_in(2) {
        write!(operator, "\n| where n {} {}", random.pick(&[">", "<", ">=", "!="]), random.below(4))
            .expect("a string takes everything");
    }
    if random.once_in(2) {
        write!(
            operator,
            "\n| sort by n{}{}",
            random.pick(&["", " asc", " desc"]),
            random.pick(&["", " nulls first", " nulls last"])
        )
        .expect("a string takes everything");
        if random.once_in(2) {
            write!(operator, "\n| take {}", random.below(5)).expect("a string takes everything");
        }
    }
    operator
}

fn boolean(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.below(3) > 0 {
        let (a, b) = (boolean(random, depth - 1), boolean(random, depth - 1));
        return match random.below(6) {
            0 => format!("not({a})"),
            5 => format!("iff({}, {a}, {b})", boolean(random, 0)),
            1 | 2 => format!("({a} and {b})"),
            _ => format!("({a} or {b})"),
        };
    }
    match random.below(12) {
        0..=3 => text_test(random),
        4 => list_test(random),
        5 => {
            let list: Vec<String> = (0..=random.below(3)).map(|_| number(random).to_string()).collect();
            format!("{} {} ({})", random.pick(INTEGERS), random.pick(&["in", "!in"]), list.join(", "))
        }
        6 => format!("{} {} {}", integer(random, 1), comparison(random), integer(random, 1)),
        7 => format!("{} {} {}", time(random), comparison(random), time(random)),
        8 => format!(
            "{} {} ({} .. {})",
            random.pick(INTEGERS),
            random.pick(&["between", "!between"]),
            number(random),
            number(random)
        ),
        9 => format!("{}({})", random.pick(&["isnull", "isnotnull"]), random.pick(INTEGERS)),
        10 => format!("{}({})", random.pick(&["isempty", "isnotempty"]), random.pick(TEXTS)),
        _ => format!(
            "IsInitiatingProcessRemoteSession {} {}",
            random.pick(&["==", "!="]),
            random.pick(&["true", "false"])
        ),
    }
}

fn comparison(random: &mut Random) -> &'static str {
    random.pick(&["==", "!=", "<", "<=", ">", ">="])
}

fn text_test(random: &mut Random) -> String {
    let operator = random.pick(&[
        "==",
        "!=",
        "=~",
        "!~",
        "has",
        "!has",
        "has_cs",
        "!has_cs",
        "contains",
        "!contains",
        "contains_cs",
        "!contains_cs",
        "startswith",
        "!startswith",
        "startswith_cs",
        "!startswith_cs",
        "endswith",
        "!endswith",
        "endswith_cs",
        "!endswith_cs",
        "hasprefix",
        "hassuffix",
        "!hasprefix",
        "hasprefix_cs",
        "hassuffix_cs",
        "<",
        ">=",
    ]);
    let needle = if random.once_in(6) { random.pick(TEXTS).to_owned() } else { quoted(&text(random, 2)) };
    format!("{} {operator} {needle}", string(random, 1))
}

fn list_test(random: &mut Random) -> String {
    let operator = random.pick(&["in", "!in", "in~", "!in~", "has_any", "has_all"]);
    let needles: Vec<String> = (0..=random.below(4)).map(|_| quoted(&text(random, 2))).collect();
    format!("{} {operator} ({})", random.pick(TEXTS), needles.join(", "))
}

fn string(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.once_in(5) {
        let inner = string(random, depth - 1);
        return match random.below(4) {
            0 => format!("tolower({inner})"),
            1 => format!("toupper({inner})"),
            2 => format!("strcat({inner}, {}, {})", quoted(&text(random, 1)), random.pick(TEXTS)),
            _ => format!("iff({}, {inner}, {})", boolean(random, 0), random.pick(TEXTS)),
        };
    }
    random.pick(TEXTS).to_owned()
}

fn integer(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.once_in(2) {
        let (a, b) = (integer(random, depth - 1), integer(random, depth - 1));
        return match random.below(7) {
            0 => format!("strlen({})", string(random, 0)),
            1 => format!("iff({}, {a}, {b})", boolean(random, 0)),
            2 => format!("-{}", random.pick(INTEGERS)),
            _ => format!("({a} {} {b})", random.pick(&["+", "-", "*", "/", "%"])),
        };
    }
    if random.once_in(3) { number(random).max(0).to_string() } else { random.pick(INTEGERS).to_owned() }
}

fn time(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("ago({}h)", [1, 24, 120][random.below(3)]),
        1 => "now()".into(),
        2 => format!("({} {} {})", random.pick(TIMES), random.pick(&["+", "-"]), random.pick(&["1h", "1d", "5m"])),
        _ => random.pick(TIMES).to_owned(),
    }
}

fn scalar(random: &mut Random, depth: usize) -> String {
    match random.below(6) {
        0 => string(random, depth),
        1 => integer(random, depth),
        2 => format!(
            "{} {} {}",
            random.pick(INTEGERS),
            random.pick(&["+", "*", "/", "-"]),
            random.pick(&["1.5", "0.5", "2.0"])
        ),
        3 => format!("{} - {}", random.pick(TIMES), random.pick(TIMES)),
        4 => boolean(random, 1),
        _ => time(random),
    }
}
