//! Events made from the rules themselves, so that rules fire for which windows-100k has no event.
//!
//! For each rule for Windows some events that satisfy most of its detection, in the rule's own stream: one value of each
//! list with its modifiers undone, wildcards filled, letters in either case, and now and then a filter, a missing field
//! or a value of another type. What should fire is not known here: both engines say, and must agree. The same seed makes the
//! same events.

use saphyr::Yaml;
use serde_json::{Map as Fields, Value};

use super::pattern;

/// What stands for a wildcard, or around a text that may be anywhere.
const FILLINGS: [&str; 9] = ["", "x", r"C:\Windows\System32\", " -foo ", "a b", "é", "line 1\nline 2", " /q ", "0"];
/// What `windash` takes for one another.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// Values of other types than most rules expect.
const ODD: [&str; 7] = [r#""""#, "null", "5", "true", r#"["zz"]"#, r#"{"zz": "zz"}"#, "[]"];

/// A source of events.
pub(super) struct Generator {
    state: u64,
}

impl Generator {
    /// With a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An event that is like `header` and satisfies most of the detection.
    pub(super) fn event(&mut self, detection: &Yaml<'_>, header: &Fields<String, Value>) -> Fields<String, Value> {
        let mut event = header.clone();
        for (name, definition) in detection.as_mapping().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            let percent = if name.starts_with("filter") || name.starts_with('_') { 25 } else { 95 };
            if !["condition", "timeframe"].contains(&name) && self.chance(percent) {
                self.satisfy(&mut event, definition);
            }
        }
        event
    }

    /// Makes an event satisfy a search identifier, mostly.
    fn satisfy(&mut self, event: &mut Fields<String, Value>, definition: &Yaml<'_>) {
        if let Some(map) = definition.as_mapping() {
            for (key, values) in map {
                if self.chance(97) {
                    self.put(event, key.as_str().unwrap_or_default(), values);
                }
            }
        } else if let Some(list) = definition.as_sequence() {
            match self.one_of(list) {
                Some(map) if map.is_mapping() => self.satisfy(event, map),
                Some(keyword) => self.put(event, "", keyword),
                None => {}
            }
        } else {
            self.put(event, "", definition);
        }
    }

    /// Gives the field of `key` a value that its modifiers and values ask for.
    fn put(&mut self, event: &mut Fields<String, Value>, key: &str, values: &Yaml<'_>) {
        let mut modifiers: Vec<&str> = key.split('|').collect();
        let mut field = modifiers.remove(0);
        if field.is_empty() {
            (field, modifiers) = ("Message", [modifiers, vec!["contains"]].concat());
        }
        let one = std::slice::from_ref(values);
        let values = values.as_sequence().map_or(one, Vec::as_slice);
        let made = if modifiers.contains(&"all") {
            let texts: Vec<String> = values.iter().map(|value| text(&self.value(value, &modifiers))).collect();
            Value::from(texts.join(self.filling()))
        } else if let Some(value) = self.one_of(values) {
            self.value(value, &modifiers)
        } else {
            return;
        };
        if modifiers.contains(&"fieldref") {
            event.insert(text(&made), Value::from("x\\y.exe"));
            event.insert(field.to_owned(), Value::from("X\\y.exe"));
        } else if self.chance(3) {
            let odd = ODD.get(self.below(ODD.len())).copied().unwrap_or("null");
            event.insert(field.to_owned(), odd.parse().unwrap_or_default());
        } else if let (Some(Value::String(before)), Value::String(more)) = (event.get_mut(field), &made) {
            // Several parts of a rule ask for the same field: let it have all of them.
            before.push_str(self.filling());
            before.push_str(more);
        } else {
            event.insert(field.to_owned(), made);
        }
    }

    /// A value that matches, mostly.
    fn value(&mut self, value: &Yaml<'_>, modifiers: &[&str]) -> Value {
        let has = |modifier| modifiers.contains(&modifier);
        if let Some(number) = value.as_integer() {
            return if self.chance(50) { Value::from(number) } else { Value::from(number.to_string()) };
        }
        let Some(pattern) = value.as_str() else {
            return value.as_bool().map_or(Value::Null, |value| Value::from(value.to_string()));
        };
        if has("fieldref") {
            return Value::from(pattern);
        }
        if has("cidr") {
            return Value::from(pattern.split('/').next());
        }
        let mut made = if has("re") { pattern::example(pattern, self) } else { self.filled(pattern) };
        if has("windash") && self.chance(60) {
            made = self.dashed(&made);
        }
        if !has("re") && !has("cased") {
            made = self.in_some_case(made);
        }
        let is_anywhere = has("contains") || has("re") && self.chance(20);
        if is_anywhere || has("endswith") {
            made.insert_str(0, self.filling());
        }
        if is_anywhere || has("startswith") {
            made.push_str(self.filling());
        }
        Value::from(made)
    }

    /// A text that a value with wildcards matches. Specification 2.1.0, "Escape Character".
    fn filled(&mut self, pattern: &str) -> String {
        let mut filled = String::new();
        let mut characters = pattern.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => filled.push(characters.next_if(|next| matches!(next, '\\' | '*' | '?')).unwrap_or('\\')),
                '*' => filled.push_str(self.filling()),
                '?' => filled.push(['x', '7', '\n', '?'].get(self.below(4)).copied().unwrap_or('x')),
                other => filled.push(other),
            }
        }
        filled
    }

    /// The text with each dash or slash that begins a flag replaced by one of its kind.
    fn dashed(&mut self, text: &str) -> String {
        let mut is_start = true;
        let mut dashed = String::new();
        for character in text.chars() {
            let is_flag = is_start && matches!(character, '-' | '/');
            dashed.push(if is_flag { self.one_of(&DASHES).copied().unwrap_or('-') } else { character });
            is_start = !character.is_alphanumeric();
        }
        dashed
    }

    fn in_some_case(&mut self, text: String) -> String {
        match self.below(4) {
            0 => text.to_ascii_uppercase(),
            1 => text.to_ascii_lowercase(),
            _ => text,
        }
    }

    fn filling(&mut self) -> &'static str {
        self.one_of(&FILLINGS).copied().unwrap_or_default()
    }

    /// An element, unless there is none.
    pub(super) fn one_of<'a, T>(&mut self, elements: &'a [T]) -> Option<&'a T> {
        elements.get(self.below(elements.len()))
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A number less than `limit`, or 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64: any seed will do.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default().checked_rem(limit).unwrap_or_default()
    }
}

/// A scalar as the text it is compared as.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use saphyr::LoadableYamlNode as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_events_and_most_satisfy_the_rule() -> anyhow::Result<()> {
        let rule = "{sel: {Image|endswith: '\\cmd.exe', EventID: 1}, filter_a: {User: x}, condition: sel}";
        let rule = Yaml::load_from_str(rule)?;
        let header = Fields::from_iter([("Channel".to_owned(), json!("c"))]);
        let events = |seed| {
            let mut generator = Generator::new(seed);
            let made =
                (0..200).flat_map(|_| rule.iter().map(|rule| generator.event(rule, &header)).collect::<Vec<_>>());
            made.collect::<Vec<_>>()
        };
        assert_eq!(events(1), events(1));
        assert_ne!(events(1), events(2));
        let satisfies = |event: &&Fields<String, Value>| {
            let image = event.get("Image").map(text).unwrap_or_default().to_lowercase();
            image.ends_with(r"\cmd.exe") && event.get("EventID").map(text).is_some_and(|id| id == "1")
        };
        let made = events(1);
        let count = made.iter().filter(satisfies).count();
        assert!((100..200).contains(&count), "{count} of 200 events satisfy the selection");
        assert!(made.iter().all(|event| event["Channel"] == "c"));
        Ok(())
    }

    #[test]
    fn wildcards_are_filled_and_escapes_undone() {
        for (pattern, beginning, end) in [(r"a\*b\?c", "a*b?c", ""), (r"a\\*z", r"a\", "z"), (r"C:\W\", r"C:\W\", "")] {
            let filled = Generator::new(7).filled(pattern);
            assert!(filled.starts_with(beginning) && filled.ends_with(end), "{pattern}: {filled}");
        }
    }
}
