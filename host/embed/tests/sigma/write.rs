//! Generated rules, as YAML: every modifier, and every form of search and condition.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{
    event::{FIELDS, some_text},
    random::Random,
    text,
};

/// Placeholders of generated rules, and what they stand for.
pub(crate) const PLACEHOLDERS: &[(&str, &[&str])] =
    &[("one", &["a*"]), ("two", &["cmd", "b?"]), ("nets", &["10.0.0.0/8", "fe80::/10"])];

/// Names of searches: with what conditions can be misled by.
const NAMES: &[&str] =
    &["selection", "sel_a", "sel_b", "filter", "filter_main", "_hidden", "not_x", "all", "keywords", "x1"];

/// A part of a generated rule: `detection`, as lines that can be left out to make a failing rule smaller.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) searches: Vec<(String, Search)>,
    pub(crate) conditions: Vec<String>,
}

/// A search: maps, of which one must hold, or keywords. The items of a map are lines with their values.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) maps: Vec<Vec<Item>>,
    pub(crate) as_list: bool,
}

/// An item: its key with modifiers, and its values, both in YAML. Without a key it is keywords.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

impl Rule {
    /// The whole rule as a file.
    pub(crate) fn yaml(&self) -> String {
        let mut yaml = String::from(
            "title: Generated\nid: 5e7a0a2c-0f1f-4a38-9a65-0f0c6c0f5a11\nlogsource:\n    category: test\ndetection:\n",
        );
        for (name, search) in &self.searches {
            write!(yaml, "    {name}:").expect("a string takes everything");
            search.write(&mut yaml);
        }
        match self.conditions.as_slice() {
            [one] => writeln!(yaml, "    condition: {one}"),
            several => writeln!(yaml, "    condition: [{}]", several.join(", ")),
        }
        .expect("a string takes everything");
        yaml
    }
}

impl Rule {
    /// The rules that are a little less: one search, map, item, value or modifier is left out.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for (name, search) in &self.searches {
            if self.searches.len() > 1 {
                let searches = vec![(name.clone(), search.clone())];
                smaller.push(Self { searches: searches.clone(), conditions: vec![name.clone()] });
                smaller.push(Self { searches, conditions: vec![format!("not {name}")] });
            }
        }
        for condition in self.conditions.iter().filter(|_| self.conditions.len() > 1) {
            smaller.push(Self { searches: self.searches.clone(), conditions: vec![condition.clone()] });
        }
        for (at, (_, search)) in self.searches.iter().enumerate() {
            for search in search.smaller() {
                let mut rule = self.clone();
                rule.searches[at].1 = search;
                smaller.push(rule);
            }
        }
        smaller
    }
}

impl Search {
    fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut with = |maps: Vec<Vec<Item>>| smaller.push(Self { maps, as_list: self.as_list });
        for map in 0..self.maps.len() {
            if self.maps.len() > 1 {
                let mut maps = self.maps.clone();
                maps.remove(map);
                with(maps);
            }
            for item in 0..self.maps[map].len() {
                if self.maps[map].len() > 1 {
                    let mut maps = self.maps.clone();
                    maps[map].remove(item);
                    with(maps);
                }
                for value in 0..self.maps[map][item].values.len() {
                    if self.maps[map][item].values.len() > 1 {
                        let mut maps = self.maps.clone();
                        maps[map][item].values.remove(value);
                        with(maps);
                    }
                }
                for modifier in self.maps[map][item].key.split('|').skip(1) {
                    let mut maps = self.maps.clone();
                    maps[map][item].key = maps[map][item].key.replacen(&format!("|{modifier}"), "", 1);
                    with(maps);
                }
            }
        }
        smaller
    }

    fn write(&self, yaml: &mut String) {
        let keywords = |items: &Vec<Item>| matches!(items.as_slice(), [item] if item.key.is_empty());
        if let [items] = self.maps.as_slice()
            && keywords(items)
        {
            writeln!(yaml, " [{}]", items[0].values.join(", ")).expect("a string takes everything");
            return;
        }
        yaml.push('\n');
        for items in &self.maps {
            let mut lead = if self.as_list { "        - " } else { "        " };
            for item in items {
                let values = match item.values.as_slice() {
                    [one] => one.clone(),
                    several => format!("[{}]", several.join(", ")),
                };
                writeln!(yaml, "{lead}{}: {values}", item.key).expect("a string takes everything");
                lead = if self.as_list { "          " } else { lead };
            }
        }
    }
}

/// A rule about events like these.
pub(crate) fn rule(random: &mut Random, events: &[Map<String, Value>]) -> Rule {
    let mut names: Vec<&str> = Vec::new();
    for _ in 0..=random.below(4) {
        let name = random.pick(NAMES);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.iter().all(|name| name.starts_with('_')) {
        names.push("selection");
    }
    let mut searches: Vec<_> = names.iter().map(|name| ((*name).to_owned(), search(random, events))).collect();
    if let [(picked, all), .., (dropped, some)] = searches.as_mut_slice()
        && random.once_in(4)
    {
        (*all, *some) = all_and_some(random, events);
        let condition = format!("{} and not {}", alone(picked), alone(dropped));
        return Rule { searches, conditions: vec![condition] };
    }
    let count = if random.once_in(8) { 2 } else { 1 };
    Rule { searches, conditions: (0..count).map(|_| condition(random, &names, 3)).collect() }
}

/// A search for short texts, and another that finds some of the same events: what nearly all rules drop is like this.
fn all_and_some(random: &mut Random, events: &[Map<String, Value>]) -> (Search, Search) {
    let field = random.pick(FIELDS);
    let values = several(random, |random| {
        let text = some_text(random, events, field);
        let start = random.below(text.chars().count() + 1);
        let short: String = text.chars().skip(start).take(1 + random.below(3)).collect();
        quoted(&text::pattern(random, &short), random)
    });
    let other = random.pick(&["|contains|cased", "|contains|cased", "|startswith", "|endswith", "", "|contains|all"]);
    let other = if values.len() > 1 { other } else { other.trim_end_matches("|all") };
    let search = |modifiers: &str| {
        let item = Item { key: format!("{field}{modifiers}"), values: values.clone() };
        Search { maps: vec![vec![item]], as_list: false }
    };
    (search("|contains"), search(other))
}

fn search(random: &mut Random, events: &[Map<String, Value>]) -> Search {
    if random.once_in(6) {
        let values = (0..=random.below(3)).map(|_| keyword(random, events)).collect::<Vec<_>>();
        let key = random.pick(&["", "", "'|all'", "'|cased'", "'|contains|all'"]);
        return Search { maps: vec![vec![Item { key: key.to_owned(), values }]], as_list: false };
    }
    let as_list = random.once_in(4);
    let maps = if as_list { 1 + random.below(3) } else { 1 };
    Search { maps: (0..maps).map(|_| map(random, events)).collect(), as_list }
}

fn keyword(random: &mut Random, events: &[Map<String, Value>]) -> String {
    let field = random.pick(FIELDS);
    let text = some_text(random, events, field);
    let shorter: String = text.chars().take(1 + random.below(6)).collect();
    if random.once_in(8) {
        random.pick(&["443", "1", "22"]).to_owned()
    } else {
        quoted(&text::pattern(random, &shorter), random)
    }
}

/// A text with a wildcard in it: what is on both sides of it is somewhere in an event, in this order.
fn with_gap(random: &mut Random, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let (one, other) = (random.below(characters.len() + 1), random.below(characters.len() + 1));
    let of = |part: &[char]| part.iter().filter(|c| !matches!(c, '*' | '?' | '\\')).collect::<String>();
    let (start, end) = (of(&characters[..one.min(other)]), of(&characters[one.max(other)..]));
    format!("{}{start}{}{end}{}", random.pick(&["", "*"]), random.pick(&["*", "?*", "*?"]), random.pick(&["", "*"]))
}

fn map(random: &mut Random, events: &[Map<String, Value>]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for _ in 0..[1, 1, 1, 2, 2, 3][random.below(6)] {
        let item = item(random, events);
        if items.iter().all(|other| other.key != item.key) {
            items.push(item);
        }
    }
    items
}

fn item(random: &mut Random, events: &[Map<String, Value>]) -> Item {
    let field = if random.once_in(8) { random.pick(&["n", "ip", "t", "nowhere"]) } else { random.pick(FIELDS) };
    let (field, modifiers, mut values) = match random.below(22) {
        0 => (field, String::new(), vec![random.pick(&["null", "''", "~"]).into()]),
        1 => (field, "|exists".into(), vec![random.pick(&["true", "false"]).into()]),
        2 => (random.pick(&["n", field]), String::new(), several(random, plain_number)),
        3 => {
            let comparison = random.pick(&["|lt", "|lte", "|gt", "|gte"]);
            (
                "n",
                comparison.into(),
                several(random, |random| random.pick(&["0", "5", "443", "1.5", "-0.25", "1000", "-1"]).into()),
            )
        }
        4 => ("ip", "|cidr".into(), several(random, quoted_network)),
        5 => {
            let (part, values): (&str, &[&str]) = match random.below(6) {
                0 => ("|minute", &["0", "30", "59", "15"]),
                1 => ("|hour", &["0", "23", "5", "8", "22"]),
                2 => ("|day", &["1", "29", "31", "30", "3"]),
                3 => ("|week", &["1", "53", "9", "52", "47"]),
                4 => ("|month", &["1", "2", "12", "3", "11"]),
                _ => ("|year", &["2024", "1969", "2020", "1900", "9999"]),
            };
            ("t", part.into(), several(random, |random| random.pick(values).into()))
        }
        6 | 7 => {
            let flags = random.pick(&["", "", "|i", "|m", "|s", "|i|s", "|i|m|s"]);
            let values = several(random, |random| {
                let text = some_text(random, events, field);
                quoted(&text::regex(random, &text), random)
            });
            (field, format!("|re{flags}"), values)
        }
        8 => {
            let kind = random.pick(&["", "|contains", "|startswith", "|endswith"]);
            let other = random.pick(&["f", "g", "a.b", "n", "nowhere"]);
            (field, format!("|fieldref{kind}{}", random.pick(&["", "|cased"])), vec![other.into()])
        }
        9 => encoded(random, field),
        10 => {
            let values = several(random, |random| {
                quoted(random.pick(&["%one%", "x%two%", "%two%*%one%", "\\%one%two%", "%two%%"]), random)
            });
            (
                field,
                format!("|expand{}", random.pick(&["", "|contains", "|startswith", "|endswith", "|contains|cased"])),
                values,
            )
        }
        11 => ("ip", "|cidr|expand".into(), vec!["'%nets%'".into()]),
        12 => {
            let values = several(random, |random| {
                let text = some_text(random, events, field);
                let value: String = text::pattern(random, &text).chars().filter(|c| !is_dash(*c)).take(4).collect();
                let value = if value.starts_with(char::is_alphanumeric) { value } else { format!("f{value}") };
                quoted(&format!("{}{value}", random.pick(&["-", " -", " /", "/", " \u{2013}", "-a -"])), random)
            });
            (field, format!("|windash{}", random.pick(&["", "|contains", "|startswith", "|contains|cased"])), values)
        }
        _ => {
            let kind = random.pick(&["", "", "|contains", "|startswith", "|endswith"]);
            let cased = random.pick(&["", "", "|cased"]);
            let values = several(random, |random| {
                let text = some_text(random, events, field);
                match random.below(14) {
                    0 => plain_number(random),
                    2 => quoted(&with_gap(random, &text), random),
                    1 if kind.is_empty() && cased.is_empty() => random.pick(&["true", "false", "null"]).into(),
                    _ => quoted(&text::pattern(random, &text), random),
                }
            });
            (field, if random.once_in(2) { format!("{kind}{cased}") } else { format!("{cased}{kind}") }, values)
        }
    };
    // A null must stand alone.
    if values.len() > 1 {
        values.retain(|value| value != "null");
    }
    let mut key = format!("{field}{modifiers}");
    if values.len() > 1 && random.once_in(3) {
        key += "|all";
    } else if random.once_in(8) && !key.contains("|exists") && !key.contains("|lt") && !key.contains("|gt") {
        key += "|neq";
    }
    Item { key, values }
}

fn encoded<'a>(random: &mut Random, field: &'a str) -> (&'a str, String, Vec<String>) {
    let modifiers = random.pick(&[
        "|base64",
        "|base64offset",
        "|utf16le|base64",
        "|wide|base64offset",
        "|utf16be|base64",
        "|utf16|base64",
        "|utf16be|base64offset",
        "|utf16le",
        "|utf16be",
        "|windash|base64",
    ]);
    let values = several(random, |random| {
        let ascii = modifiers.contains("base64");
        let plain = random.pick(if ascii { text::PLAIN } else { &["cmd", "foobar"] });
        quoted(plain, random)
    });
    let values = if values.is_empty() { vec!["cmd".into()] } else { values };
    (field, format!("{modifiers}{}", random.pick(&["|contains", "|contains", "", "|cased"])), values)
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '/' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

fn several(random: &mut Random, mut one: impl FnMut(&mut Random) -> String) -> Vec<String> {
    let count = [1, 1, 2, 3][random.below(4)];
    let mut values: Vec<String> = (0..count).map(|_| one(random)).collect();
    values.dedup();
    values
}

fn plain_number(random: &mut Random) -> String {
    random.pick(&["0", "1", "-1", "5", "10", "443", "4688", "1.5", "-0.25", "-9223372036854775808"]).into()
}

fn quoted_network(random: &mut Random) -> String {
    let networks = [
        "10.0.0.0/8",
        "10.0.0.0/7",
        "192.168.1.64/26",
        "0.0.0.0/0",
        "::/0",
        "fe80::/10",
        "2001:db8::/32",
        "::1/128",
        "127.0.0.1/32",
        "255.255.255.255/32",
        "2001:db8::/127",
        "172.16.0.0/12",
        "10.1.2.2/31",
        "100.64.0.0/10",
        "fc00::/7",
        "2000::/3",
        "2001:db8:0:1::/64",
    ];
    format!("'{}'", random.pick(&networks))
}

/// A text as YAML, in one of the ways that YAML has.
fn quoted(text: &str, random: &mut Random) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '\\' | '*' | '?' | '.' | '-' | '/'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "nan" | "inf"
        );
    if plain && random.once_in(2) {
        return text.to_owned();
    }
    if random.once_in(2) && !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => write!(quoted, "\\x{:02X}", u32::from(c)).expect("a string takes everything"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn condition(random: &mut Random, names: &[&str], depth: usize) -> String {
    if depth > 0 && random.once_in(2) {
        let (a, b) = (condition(random, names, depth - 1), condition(random, names, depth - 1));
        return match random.below(8) {
            // As most rules exclude what is known to be good.
            5..=7 => format!("{} and not {}", bracketed(&a), bracketed(&b)),
            0 => format!("not {}", bracketed(&a)),
            1 => format!("({a}) and ({b})"),
            2 => format!("{a} and {b}"),
            3 => format!("{a} or not {}", bracketed(&b)),
            _ => format!("{a} or {b}"),
        };
    }
    let name = random.pick(names);
    let shown = names.iter().any(|name| !name.starts_with('_'));
    match random.below(6) {
        0 if shown => random.pick(&["1 of them", "all of them"]).into(),
        1 => {
            let cut = 1 + random.below(name.len());
            let start = name.get(..cut).unwrap_or(name);
            format!("{} of {start}*", random.pick(&["1", "all"]))
        }
        2 => {
            // A pattern takes names that begin with an underscore only if it says so.
            let end = name.trim_start_matches('_');
            let end = end.get(random.below(end.len())..).unwrap_or(name);
            let hidden = !names.iter().any(|name| name.ends_with(end) && !name.starts_with('_'));
            let end = if hidden { name } else { end };
            format!("{} of {}{end}", random.pick(&["1", "all"]), if hidden { "" } else { "*" })
        }
        _ => alone(name).into(),
    }
}

/// `all` is a name, too, but not one that can stand alone.
fn alone(name: &str) -> &str {
    if name == "all" { "1 of all*" } else { name }
}

fn bracketed(condition: &str) -> String {
    if condition.contains(' ') { format!("({condition})") } else { condition.into() }
}
