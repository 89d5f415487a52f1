//! Where one JSON value ends, without reading it: brackets and strings only. What is inside is read later, and once.
//!
//! A value that is broken must not take those behind it along. A `{` or comma where JSON allows none, and a bracket that
//! closes what was not opened, end the value before them; a string ends at its line's end, for JSON allows no line breaks in
//! strings. So a value that was cut off costs itself and at most what still could have been a part of it.

use super::envelope;

/// How many levels of brackets are told apart: what `serde_json` reads. Deeper ones are only counted.
const LEVELS: u32 = 128;

/// How a value ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With its closing bracket, which is the last byte.
    Whole,
    /// Before this byte, which does not belong to it. What is there is no JSON.
    Broken,
}

/// Follows one value that begins with a bracket.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    /// How far the value was followed, from its first byte.
    at: usize,
    /// A bit for each open bracket: 1 for an array. The innermost is the lowest.
    arrays: u128,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The last byte outside of strings that is not blank; of a string its quote.
    last: u8,
    keys: Keys,
}

/// What is known of the value's own keys: whether it is an [envelope].
#[derive(Clone, Debug, Default)]
struct Keys {
    /// Where the string that is being read begins, behind its quote, if it is one of the value's own keys.
    from: Option<usize>,
    /// The last key is the name of a list of events.
    list_is_next: bool,
    /// How many keys are no annotations.
    named: usize,
    /// Where the list's first element would be.
    list_at: Option<usize>,
    /// The list was opened, and what it begins with is not seen yet.
    opened: bool,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self { at: 0, arrays: 0, depth: 0, in_string: false, escaped: false, last: 0, keys: Keys::default() }
    }

    /// Inside of an object, behind the value of one of its keys: for the rest of an envelope.
    pub(crate) fn behind_list() -> Self {
        Self { depth: 1, last: b']', ..Self::new() }
    }

    /// Whether the value was followed into a string.
    pub(crate) fn in_string(&self) -> bool {
        self.in_string
    }

    /// How far the value was followed.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The first `bytes` of the value are not in the buffer any more.
    pub(crate) fn forget(&mut self, bytes: usize) {
        self.at = self.at.saturating_sub(bytes);
        self.keys = Keys::default();
    }

    /// Where the first element is, if the value is an envelope as far as it was followed.
    pub(crate) fn envelope(&self) -> Option<usize> {
        self.keys.list_at.filter(|_| self.keys.named == 1 && !self.keys.opened)
    }

    /// Follows the value to the end of `value`, which holds what there is of it so far, or to its own end.
    pub(crate) fn follow(&mut self, value: &[u8]) -> Option<End> {
        while let Some(byte) = value.get(self.at).copied() {
            if self.in_string {
                self.string(byte, value);
            } else {
                match self.step(byte) {
                    Some(End::Whole) => {
                        self.at = self.at.saturating_add(1);
                        return Some(End::Whole);
                    }
                    Some(End::Broken) => return Some(End::Broken),
                    None => {}
                }
            }
            self.at = self.at.saturating_add(1);
        }
        None
    }

    fn string(&mut self, byte: u8, value: &[u8]) {
        match byte {
            _ if std::mem::take(&mut self.escaped) && byte != b'\n' => {}
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                if let Some(from) = self.keys.from.take() {
                    self.keys.end(value.get(from..self.at).unwrap_or_default());
                }
            }
            b'\n' => {
                self.in_string = false;
                self.keys.from = None;
            }
            _ => {}
        }
    }

    fn step(&mut self, byte: u8) -> Option<End> {
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return None;
        }
        if std::mem::take(&mut self.keys.opened) && !matches!(byte, b'{' | b']') {
            self.keys.list_at = None;
        }
        match byte {
            b'"' => {
                let is_key = self.depth == 1 && !self.in_array() && matches!(self.last, b'{' | b',');
                self.keys.from = is_key.then(|| self.at.saturating_add(1));
                self.in_string = true;
            }
            b'{' if self.depth > 0 && !self.may_begin() => return Some(End::Broken),
            b',' if matches!(self.last, b'{' | b'[' | b':' | b',') => return Some(End::Broken),
            b'{' => self.open(false),
            b'[' => {
                if self.depth == 1 && self.last == b':' && std::mem::take(&mut self.keys.list_is_next) {
                    self.keys.list_at = Some(self.at.saturating_add(1));
                    self.keys.opened = true;
                }
                self.open(true);
            }
            b'}' | b']' => {
                if self.depth <= LEVELS && self.in_array() != (byte == b']') {
                    return Some(End::Broken);
                }
                self.close();
                if self.depth == 0 {
                    return Some(End::Whole);
                }
            }
            _ => {}
        }
        self.last = byte;
        None
    }

    /// Whether a value may begin here.
    fn may_begin(&self) -> bool {
        self.depth > LEVELS || if self.in_array() { matches!(self.last, b'[' | b',') } else { self.last == b':' }
    }

    fn in_array(&self) -> bool {
        self.arrays & 1 == 1
    }

    fn open(&mut self, array: bool) {
        if self.depth < LEVELS {
            self.arrays = self.arrays << 1 | u128::from(array);
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self) {
        if self.depth <= LEVELS {
            self.arrays >>= 1;
        }
        self.depth = self.depth.saturating_sub(1);
    }
}

impl Keys {
    fn end(&mut self, key: &[u8]) {
        self.list_is_next = false;
        if !envelope::is_annotation(key) {
            self.named = self.named.saturating_add(1);
            self.list_is_next = self.list_at.is_none() && envelope::is_list_name(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_value_ends_where_it_ends() {
        for (text, end, at) in [
            ("{}", Some(End::Whole), 2),
            ("{\"a\": [1, {\"b\": \"}\\\"}\"}]} {}", Some(End::Whole), 25),
            ("[[1], {\"a\": {}}]x", Some(End::Whole), 16),
            ("{\"a\": 1", None, 7),
            ("{\"a\": \"b", None, 8),
            ("{\"a\": 1\n{\"b\": 2}", Some(End::Broken), 8),
            ("{\"a\": 1,\n{\"b\": 2}", Some(End::Broken), 9),
            ("{\"a\": \"b\n{\"b\": 2}", Some(End::Broken), 9),
            ("{\"a\": \"b\\\n{\"b\": 2}", Some(End::Broken), 10),
            // What could be a part of the first value is taken for it; the next value is found.
            ("{\"a\":\n{\"b\": 2}\n{\"c\": 3}", Some(End::Broken), 15),
            ("{\"a\": [1, 2\n{\"b\": 2}", Some(End::Broken), 12),
            ("{\"a\": [1,,{\"b\": 2}]", Some(End::Broken), 9),
            ("{\"a\": 1]", Some(End::Broken), 7),
            ("[{\"a\": 1}}", Some(End::Broken), 9),
        ] {
            let mut scanner = Scanner::new();
            assert_eq!((scanner.follow(text.as_bytes()), scanner.at()), (end, at), "{text}");
        }
    }

    #[test]
    fn an_envelope_is_known_as_soon_as_its_list_begins() {
        for (text, list_at) in [
            (r#"{"Records": [{"#, Some(13)),
            (r#"{"records":[]}"#, Some(12)),
            (r#"{"@odata.context": "x", "value": [ {"a": 1}], "@odata.nextLink": "y"}"#, Some(34)),
            (r#"{"Records": ["#, None),
            (r#"{"Records": [1, {"a": 1}]}"#, None),
            (r#"{"Records": ["x"]}"#, None),
            (r#"{"Records": [[{}]]}"#, None),
            (r#"{"Records": {"value": [{}]}}"#, None),
            (r#"{"a": 1, "Records": [{}]}"#, None),
            (r#"{"Records": [{}], "a": 1}"#, None),
            (r#"{"Records": 1, "value": [{}]}"#, None),
            (r#"[{"Records": [{}]}]"#, None),
            (r#"{"x": "Records", "y": [{}]}"#, None),
        ] {
            let mut scanner = Scanner::new();
            scanner.follow(text.as_bytes());
            assert_eq!(scanner.envelope(), list_at, "{text}");
        }
    }

    #[test]
    fn brackets_without_end_are_followed() {
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000], b"{}".to_vec()].concat();
        let mut scanner = Scanner::new();
        assert_eq!((scanner.follow(&deep), scanner.at()), (Some(End::Whole), 200_000));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            "[a-z\\[\\]{}\",:\\\\\n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("(Records|value|[a-z\"{]{0,3})", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever JSON, however it is cut and printed: it ends at its end, and it is an envelope exactly when the
        /// reader of whole objects says so.
        #[test]
        fn any_value_ends_at_its_end(values in proptest::collection::vec(json(), 0..4), pretty: bool, cut in 0_usize..40) {
            let array = serde_json::json!({"a": values, "b": {"c": []}});
            let object = values.into_iter().find(Value::is_object).unwrap_or(array);
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
            let text = text.unwrap_or_default();
            let stream = format!("{text}{{}}");
            let mut scanner = Scanner::new();
            let early = scanner.follow(stream.as_bytes().get(..cut.min(text.len() - 1)).unwrap_or_default());
            prop_assert_eq!(early, None);
            prop_assert_eq!((scanner.follow(stream.as_bytes()), scanner.at()), (Some(End::Whole), text.len()));
            let Value::Object(fields) = object else { unreachable!("an object was chosen") };
            prop_assert_eq!(scanner.envelope().is_some(), envelope::open(fields).is_ok());
        }
    }
}
