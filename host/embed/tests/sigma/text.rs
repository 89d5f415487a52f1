//! Texts of generated events and values of generated rules, made to meet: values are cut from texts of the events.

use crate::random::Random;

/// What texts are made of: case with and without ASCII, what is special to Sigma, regular expressions and YAML.
const PIECES: &[&str] = &[
    "a",
    "A",
    "b",
    "ab",
    "aba",
    "cmd",
    "CMD",
    ".exe",
    ".EXE",
    "k",
    "\u{212A}",
    "s",
    "ſ",
    "ß",
    "ẞ",
    "i",
    "I",
    "İ",
    "ı",
    "é",
    "É",
    "e\u{301}",
    "σ",
    "ς",
    "Σ",
    "ﬁ",
    "😀",
    "中",
    "\u{10400}",
    "\u{10428}",
    "*",
    "?",
    "\\",
    "\\\\",
    "\\*",
    "%",
    " ",
    " -",
    " /",
    "-",
    "/",
    "\u{2013}",
    "\u{2014}",
    "1",
    "22",
    "_",
    ".",
    "(",
    "[",
    "]",
    "+",
    "|",
    "^",
    "$",
    "{",
    "'",
    "\"",
    ":",
    "#",
    "\t",
    "\n",
    "\0",
    "true",
    "null",
];

/// Texts, and what is in each of them with modifiers that encode.
const ENCODED: &[&str] = &[
    "Zm9vYmFy",
    "xm9vYmFyZvb2Jhc",
    "eGZvb2Jhcg==",
    "mb29iYX",
    "ZgBvAG8AYgBhAHIA",
    "eGYAbwBvAGIAYQByAA==",
    "JG1mAG8AbwBiAGEAcgA=",
    "AGYAbwBvAGIAYQBy",
    "w6nigqw=",
    "Y21k",
    "YwBtAGQA",
    "//5jAG0AZAA=",
    "AGMAbQBk",
    "IC1m",
    "IC9m",
    "c\0m\0d\0",
    "\0c\0m\0d",
];

/// What is encoded in [`ENCODED`].
pub(crate) const PLAIN: &[&str] = &["foobar", "cmd", "é€", " -f", "CMD", "fooba"];

/// Addresses, and what is almost one.
pub(crate) const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.255.255.255",
    "11.0.0.0",
    "192.168.1.77",
    "192.168.2.1",
    "0.0.0.0",
    "255.255.255.255",
    "127.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "FE80::1",
    "2001:db8::1",
    "2001:0db8:0:0:0:0:0:1",
    "::ffff:10.0.0.1",
    "::ffff:0a00:1",
    "::10.0.0.1",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    " 10.0.0.1",
    "10.0.0.1/8",
    "fe80::1%1",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:1.2.3.4",
    "172.16.5.4",
    "172.32.0.1",
    "100.127.255.255",
    "100.128.0.1",
    "10.1.2.3",
    "10.1.2.4",
    "::FFFF:172.31.0.9",
    "0:0:0:0:0:ffff:10.1.2.3",
    "fd00::1",
    "00fd::1",
    "3FFF::1",
    "2001:DB8:0:1::9",
    "x",
];

/// Numbers as texts have them, and what is almost one.
pub(crate) const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "5",
    "10",
    "443",
    "4688",
    "65535",
    "1.5",
    "-0.25",
    "1e3",
    "1E-2",
    "0x10",
    " 5",
    "5 ",
    "+5",
    "05",
    "5.",
    ".5",
    "",
    "9007199254740993",
    "-9223372036854775808",
    "18446744073709551615",
    "NaN",
    "inf",
    "1,5",
    "٣",
    "1e400",
    "-",
    "1e",
    "-0",
];

/// Times, and what is almost one.
pub(crate) const TIMES: &[&str] = &[
    "2024-02-29T23:59:59.1234567Z",
    "2024-01-01T00:00:00Z",
    "2024-01-01",
    "2021-01-03T05:30:00Z",
    "2020-12-31 12:00:00",
    "1969-12-31T23:30:00Z",
    "2024-12-30T10:00:00+02:00",
    "1900-03-01T00:00:00Z",
    "2026-11-21T22:15",
    "2024-13-01",
    "x",
    "",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2000-02-29T05:00:00Z",
    "2022-01-01T05:05:05Z",
];

/// A text of an event.
pub(crate) fn of_event(random: &mut Random) -> String {
    match random.below(12) {
        0 => random.pick(ENCODED).to_owned(),
        1 => random.pick(NUMBERS).to_owned(),
        2 => random.pick(ADDRESSES).to_owned(),
        3 => random.pick(TIMES).to_owned(),
        _ => pieces(random, 5),
    }
}

/// A few pieces, sometimes none.
pub(crate) fn pieces(random: &mut Random, most: usize) -> String {
    (0..random.below(most + 1)).map(|_| random.pick(PIECES)).collect()
}

/// A value as a rule writes it that texts like this one may match: a part of it, in another case, with wildcards.
pub(crate) fn pattern(random: &mut Random, text: &str) -> String {
    let mut pattern = String::new();
    for c in part(random, text).chars() {
        match random.below(16) {
            0 => pattern.push('*'),
            1 => pattern.push('?'),
            2 => pattern.push_str("?*"),
            _ => {
                let c = other_case(random, c);
                pattern.push_str(&escaped(random, c));
            }
        }
    }
    // Now and then nothing is escaped, or too much.
    if random.once_in(12) {
        pattern + random.pick(&["\\", "\\\\", "*", "\\*", "\\\\*", "\\\\\\*", "?", "\\x"])
    } else {
        pattern
    }
}

/// A part of the text, mostly all of it or an end of it.
pub(crate) fn part(random: &mut Random, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let cut = |random: &mut Random| random.below(characters.len() + 1);
    let (start, end) = match random.below(6) {
        0 => (0, cut(random)),
        1 => (cut(random), characters.len()),
        2 => (cut(random), cut(random)),
        _ => (0, characters.len()),
    };
    characters.get(start..end).map_or_else(String::new, |part| part.iter().collect())
}

/// The same character, or another that is or is not the same without regard to case.
pub(crate) fn other_case(random: &mut Random, c: char) -> char {
    if random.below(3) > 0 {
        return c;
    }
    let one = |mut mapped: Box<dyn Iterator<Item = char>>| mapped.next().unwrap_or(c);
    match c {
        'k' => '\u{212A}',
        's' => 'ſ',
        'i' => 'İ',
        'ß' => 'ẞ',
        c if c.is_lowercase() => one(Box::new(c.to_uppercase())),
        c => one(Box::new(c.to_lowercase())),
    }
}

/// How a rule writes a plain character: what must be escaped is, and a backslash in either way.
fn escaped(random: &mut Random, c: char) -> String {
    match c {
        '*' | '?' => format!("\\{c}"),
        '\\' if random.below(4) > 0 => "\\\\".into(),
        c => c.into(),
    }
}

/// A regular expression that texts like this one may match.
pub(crate) fn regex(random: &mut Random, text: &str) -> String {
    let mut regex = String::from(random.pick(&["", "", "^", "(?:", "\\b", ".*"]));
    let group = regex == "(?:";
    for c in part(random, text).chars() {
        match random.below(14) {
            0 => regex.push('.'),
            1 => regex.push_str(".*?"),
            2 => regex.push_str(random.pick(&["\\d", "\\w", "\\s", "\\D", "\\W", "\\S"])),
            3 => regex.push_str(random.pick(&["[a-c]", "[^a]", "[A-Zk]", "[\\d.]", "[^\\s]", "[é-ü]", "[\\\\*?]"])),
            4 => {
                let plain = plain_in_regex(c);
                regex.extend(["(x|", plain.as_str(), ")"]);
            }
            5 => {
                regex.push_str(&plain_in_regex(c));
                regex.push_str(random.pick(&["+", "*", "?", "{1,2}", "+?"]));
            }
            _ => regex.push_str(&plain_in_regex(other_case(random, c))),
        }
    }
    if group {
        regex.push_str(random.pick(&[")", ")+", "){1,3}", "|x)"]));
    }
    regex + random.pick(&["", "", "$", ".*", "\\b"])
}

fn plain_in_regex(c: char) -> String {
    if c.is_ascii_punctuation() && c != '_' { format!("\\{c}") } else { c.into() }
}
