//! Where a logical field's value comes from: physical fields of the event, and the few transforms that a streams file
//! may name.
//!
//! A transform takes text and gives text. What it cannot take apart gives no value, so that the next source of the
//! field is asked.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use sandtrap_wit::LogicalType;
use serde_json::{Map, Value};

use crate::{
    convert::{self, Converted, ListCell},
    path,
};

/// A physical field: the places where it may be, in order; the first one present wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Physical(pub(crate) Arc<[Place]>);

/// Where in an event a field may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// At this path.
    At(String),
    /// At the path `field` in any of the objects that the object `object` has.
    InAnyOf { object: String, field: String },
}

/// What a streams file says about physical fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct PhysicalNames {
    /// The fields that have paths of their own.
    pub(crate) listed: HashMap<String, Physical>,
    /// The objects that may have any other field, when the top of the event does not; one that ends in `.*` stands for
    /// all objects in it.
    pub(crate) containers: Vec<String>,
    /// The paths of fields that are neither at the top nor in a container.
    pub(crate) fallbacks: HashMap<String, Vec<String>>,
    /// Objects in which rules look for fields that some shippers take out of them.
    pub(crate) strip: Vec<String>,
}

/// The key under which readers of XML put the text of an element that has attributes, too.
const XML_TEXT: &str = "#text";

impl PhysicalNames {
    /// Where the field of that name may be.
    pub(crate) fn physical(&self, name: &str) -> Physical {
        self.listed.get(name).cloned().unwrap_or_else(|| {
            let inside = self.containers.iter().map(|container| match container.strip_suffix(".*") {
                Some(object) => Place::InAnyOf { object: object.to_owned(), field: name.to_owned() },
                None => Place::At(format!("{container}.{name}")),
            });
            let last = self.fallbacks.get(name).into_iter().flatten().cloned().map(Place::At);
            let rests = self.strip.iter().filter_map(|object| name.strip_prefix(object.as_str())?.strip_prefix('.'));
            let stripped = rests.map(|rest| Place::At(rest.to_owned()));
            let own = std::iter::once(Place::At(name.to_owned()));
            Physical(own.chain(inside).chain(stripped).chain(last).collect())
        })
    }
}

impl Place {
    /// Whether a list stands on a way to here, so that what is here depends on what is in the list. A list that is here
    /// stands on no way.
    pub(crate) fn leads_through_lists(&self, fields: &Map<String, Value>) -> bool {
        match self {
            Self::At(path) => path::leads_through_lists(fields, path),
            Self::InAnyOf { object, field } => {
                let objects = path::find(fields, object).and_then(Value::as_object).into_iter().flat_map(Map::values);
                path::leads_through_lists(fields, object)
                    || objects.filter_map(Value::as_object).any(|inner| path::leads_through_lists(inner, field))
            }
        }
    }

    /// Adds all values that are here.
    pub(crate) fn find_all<'e>(&self, fields: &'e Map<String, Value>, values: &mut Vec<&'e Value>) {
        match self {
            Self::At(path) => path::find_all(fields, path, values),
            Self::InAnyOf { object, field } => {
                let objects = path::find(fields, object).and_then(Value::as_object).into_iter().flat_map(Map::values);
                for object in objects.filter_map(Value::as_object) {
                    path::find_all(object, field, values);
                }
            }
        }
    }

    pub(crate) fn find<'e>(&self, fields: &'e Map<String, Value>) -> Option<&'e Value> {
        let found = match self {
            Self::At(path) => path::find(fields, path),
            Self::InAnyOf { object, field } => {
                let mut objects = path::find(fields, object)?.as_object()?.values().filter_map(Value::as_object);
                objects.find_map(|object| path::find(object, field))
            }
        };
        found.map(without_attributes)
    }
}

/// The text of an XML element, without its attributes.
pub(crate) fn without_attributes(value: &Value) -> &Value {
    value.as_object().and_then(|element| element.get(XML_TEXT)).unwrap_or(value)
}

/// One source of a logical field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The value as it is.
    Field(Physical),
    /// Always this text.
    Constant(Arc<str>),
    /// What follows the last `\` or `/` of a path.
    FileName(Physical),
    /// `name` of `DOMAIN\name`; the whole text when there is no domain.
    User(Physical),
    /// `DOMAIN` of `DOMAIN\name`.
    Domain(Physical),
    /// The hash of that algorithm in `SHA1=..,MD5=..`.
    Hash { algorithm: String, of: Physical },
    /// The text in other words; a text that is not listed stays.
    Words { words: Arc<[(String, String)]>, of: Physical },
    /// The parts one after the other, each a text or a list of texts. All must have a value.
    Join { parts: Vec<Physical>, with: String },
    /// All values of these fields: a list, of which a column that is none takes the first.
    All(Vec<Physical>),
    /// Each of these texts whose field is there: a list, of which a column that is none takes the first.
    Present(Vec<(String, Physical)>),
    /// The value of the entry of that name in a list of names and values: `[{"name": .., "value": ..}]`.
    Entry { name: String, of: Physical },
    /// An instant, given as how many units of so many ticks have passed since 1970.
    Epoch { ticks_per_unit: i64, of: Physical },
}

/// What a source found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// A value of the event.
    Json(&'a Value),
    /// Several values of the event, at least one.
    Values(Vec<&'a Value>),
    /// Several texts, at least one.
    Texts(Vec<&'a str>),
    /// A text, transformed.
    Text(Cow<'a, str>),
    /// An instant, in ticks.
    Instant(i64),
}

impl<'a> Found<'a> {
    /// The cell of that type.
    pub(crate) fn convert(self, ty: LogicalType) -> Converted<'a> {
        match self {
            Self::Json(value) => convert::from_json(value, ty),
            Self::Values(values) => values.first().map_or(Converted::Null, |value| convert::from_json(value, ty)),
            Self::Texts(texts) => {
                texts.first().map_or(Converted::Null, |text| convert::from_text(Cow::Borrowed(text), ty))
            }
            Self::Text(text) => convert::from_text(text, ty),
            Self::Instant(ticks) => convert::from_instant(ticks, ty),
        }
    }
}

impl Physical {
    /// A field that is at the first of these paths which the event has.
    pub(crate) fn at(paths: Vec<String>) -> Self {
        Self(paths.into_iter().map(Place::At).collect())
    }

    /// The paths to where it may be, or to the object of the objects in which it may be.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|place| match place {
            Place::At(path) | Place::InAnyOf { object: path, .. } => path.as_str(),
        })
    }

    /// With which key of an event's top its paths begin, for each.
    pub(crate) fn first_keys(&self) -> impl Iterator<Item = &str> {
        self.paths().filter_map(|path| path.split('.').next())
    }

    /// The first value that the event has and that says something.
    pub(crate) fn find<'e>(&self, fields: &'e Map<String, Value>, no_value: &[String]) -> Option<&'e Value> {
        let says_something = |value: &&Value| !value.as_str().is_some_and(|text| no_value.iter().any(|no| no == text));
        self.0.iter().filter_map(|place| place.find(fields)).find(says_something)
    }

    /// All values at the first place that has one which says something; those in lists of objects, too.
    fn find_all<'e>(&self, fields: &'e Map<String, Value>, no_value: &[String]) -> Vec<&'e Value> {
        let mut values = Vec::new();
        for place in &*self.0 {
            place.find_all(fields, &mut values);
            values.retain(|value| !value.as_str().is_some_and(|text| no_value.iter().any(|no| no == text)));
            if !values.is_empty() {
                break;
            }
        }
        values.into_iter().map(without_attributes).collect()
    }

    fn text<'e>(&self, fields: &'e Map<String, Value>, no_value: &[String]) -> Option<&'e str> {
        self.find(fields, no_value)?.as_str()
    }
}

impl Source {
    /// All values, if this source has one.
    pub(crate) fn find_all<'a>(&'a self, fields: &'a Map<String, Value>, no_value: &[String]) -> ListCell<'a> {
        match self {
            Self::Field(of) => ListCell::of_found(&of.find_all(fields, no_value)),
            Self::All(of) => {
                let found = of.iter().flat_map(|of| of.find_all(fields, no_value));
                ListCell::of_found(&found.collect::<Vec<_>>())
            }
            Self::Present(_) | Self::Entry { .. } => match self.find(fields, no_value) {
                Some(Found::Texts(texts)) => ListCell::Values(texts.into_iter().map(Cow::Borrowed).collect()),
                Some(Found::Values(values)) => ListCell::of_found(&values),
                _ => ListCell::Absent,
            },
            one => match one.find(fields, no_value).map(|found| found.convert(LogicalType::String)) {
                Some(Converted::Text(text)) => ListCell::Values(vec![text]),
                Some(_) => ListCell::Null,
                None => ListCell::Absent,
            },
        }
    }

    /// The physical fields that it looks at.
    pub(crate) fn fields(&self) -> Vec<&Physical> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Field(of)
            | Self::FileName(of)
            | Self::User(of)
            | Self::Domain(of)
            | Self::Hash { of, .. }
            | Self::Words { of, .. }
            | Self::Entry { of, .. }
            | Self::Epoch { of, .. } => vec![of],
            Self::Join { parts, .. } | Self::All(parts) => parts.iter().collect(),
            Self::Present(texts) => texts.iter().map(|(_, of)| of).collect(),
        }
    }

    /// What a source makes of the text of its one field; `None` if it cannot take the text apart, or takes none.
    pub(crate) fn transform<'t>(&'t self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::FileName(_) => text.rsplit(['\\', '/']).next().filter(|name| !name.is_empty()),
            Self::User(_) => Some(text.split_once('\\').map_or(text, |(_, name)| name)),
            Self::Domain(_) => text.split_once('\\').map(|(domain, _)| domain),
            Self::Hash { algorithm, .. } => hash(text, algorithm),
            Self::Words { words, .. } => Some(words.iter().find(|(from, _)| from == text).map_or(text, |(_, to)| to)),
            Self::Field(_)
            | Self::Constant(_)
            | Self::Join { .. }
            | Self::All(_)
            | Self::Present(_)
            | Self::Entry { .. }
            | Self::Epoch { .. } => None,
        }
    }

    /// The value, if this source has one. Texts in `no_value` are none.
    pub(crate) fn find<'a>(&'a self, fields: &'a Map<String, Value>, no_value: &[String]) -> Option<Found<'a>> {
        let text = |of: &Physical| of.text(fields, no_value);
        let borrowed = |text: &'a str| Found::Text(Cow::Borrowed(text));
        match self {
            Self::Field(of) => of.find(fields, no_value).map(Found::Json),
            Self::Constant(text) => Some(borrowed(text)),
            Self::FileName(of) | Self::User(of) | Self::Domain(of) | Self::Hash { of, .. } | Self::Words { of, .. } => {
                self.transform(text(of)?).map(borrowed)
            }
            Self::Join { parts, with } => {
                let parts = parts.iter().map(|part| match part.find(fields, no_value)? {
                    Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                    Value::Array(items) => {
                        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                        Some(Cow::Owned(texts?.join(with)))
                    }
                    _ => None,
                });
                Some(Found::Text(Cow::Owned(parts.collect::<Option<Vec<_>>>()?.join(with))))
            }
            Self::Present(texts) => {
                let present = texts.iter().filter(|(_, of)| of.find(fields, no_value).is_some());
                let texts: Vec<&str> = present.map(|(text, _)| text.as_str()).collect();
                (!texts.is_empty()).then_some(Found::Texts(texts))
            }
            Self::Entry { name, of } => {
                let values: Vec<&Value> =
                    of.find_all(fields, no_value).into_iter().flat_map(|list| entries(list, name)).collect();
                (!values.is_empty()).then_some(Found::Values(values))
            }
            Self::All(of) => {
                let values: Vec<&Value> = of.iter().filter_map(|of| of.find(fields, no_value)).collect();
                (!values.is_empty()).then_some(Found::Values(values))
            }
            Self::Epoch { ticks_per_unit, of } => {
                let count = match of.find(fields, no_value)? {
                    Value::Number(number) => convert::integer(number),
                    Value::String(text) => convert::integer_from_text(text.trim()),
                    _ => None,
                };
                convert::from_epoch(count?, *ticks_per_unit).map(Found::Instant)
            }
        }
    }
}

/// The values under that name in a list of names and values, as Microsoft and Google write them.
fn entries<'v>(list: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    const NAMES: [&str; 2] = ["name", "Name"];
    const VALUES: [&str; 5] = ["value", "Value", "multiValue", "boolValue", "intValue"];
    let first = |entry: &'v Map<String, Value>, keys: &[&str]| keys.iter().find_map(|key| entry.get(*key));
    let entries = list.as_array().into_iter().flatten().filter_map(Value::as_object);
    let named = entries.filter(move |entry| first(entry, &NAMES).and_then(Value::as_str) == Some(name));
    named.filter_map(move |entry| first(entry, &VALUES))
}

fn hash<'t>(hashes: &'t str, algorithm: &str) -> Option<&'t str> {
    hashes
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .find_map(|(name, hash)| name.eq_ignore_ascii_case(algorithm).then_some(hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn physical(paths: &[&str]) -> Physical {
        Physical::at(paths.iter().map(|path| (*path).to_owned()).collect())
    }

    fn x() -> Physical {
        physical(&["x"])
    }

    #[test]
    fn transforms_take_text_apart() {
        let hash = |algorithm: &str| Source::Hash { algorithm: algorithm.into(), of: x() };
        let words = || Source::Words { words: [("tcp".to_owned(), "Tcp".to_owned())].into(), of: x() };
        let present = || Source::Present(vec![("Y".into(), physical(&["y"])), ("X".into(), x())]);
        let entry = || Source::Entry { name: "b".into(), of: x() };
        let millis = || Source::Epoch { ticks_per_unit: 10_000, of: x() };
        for (source, value, expected) in [
            (Source::FileName(x()), json!(r"C:\Windows\cmd.exe"), Some("cmd.exe")),
            (Source::FileName(x()), json!("/usr/bin/ssh"), Some("ssh")),
            (Source::FileName(x()), json!("System"), Some("System")),
            (Source::FileName(x()), json!(r"C:\Windows\"), None),
            (Source::FileName(x()), json!(7), None),
            (Source::User(x()), json!(r"NT AUTHORITY\SYSTEM"), Some("SYSTEM")),
            (Source::User(x()), json!("anna"), Some("anna")),
            (Source::Domain(x()), json!(r"NT AUTHORITY\SYSTEM"), Some("NT AUTHORITY")),
            (Source::Domain(x()), json!("anna"), None),
            (hash("SHA256"), json!("SHA1=aa, sha256=bb,IMPHASH=cc"), Some("bb")),
            (hash("MD5"), json!("SHA1=aa"), None),
            (words(), json!("tcp"), Some("Tcp")),
            (words(), json!("icmp"), Some("icmp")),
            (millis(), json!(1000), Some("1970-01-01T00:00:01.0000000Z")),
            (millis(), json!("1000"), Some("1970-01-01T00:00:01.0000000Z")),
            (millis(), json!("soon"), None),
            (millis(), json!(i64::MAX), None),
            (Source::Join { parts: vec![x(), x()], with: "\\".into() }, json!("a"), Some(r"a\a")),
            (Source::Join { parts: vec![x(), physical(&["y"])], with: "\\".into() }, json!("a"), None),
            (Source::Join { parts: vec![x()], with: " ".into() }, json!(["a", "b"]), Some("a b")),
            (Source::Join { parts: vec![x()], with: " ".into() }, json!(["a", 1]), None),
            (Source::All(vec![physical(&["y"]), x()]), json!("a"), Some("a")),
            (Source::All(vec![physical(&["y"])]), json!("a"), None),
            (present(), json!(0), Some("X")),
            (entry(), json!([{"name": "a", "value": "1"}, {"Name": "b", "Value": "2"}, "b"]), Some("2")),
            (entry(), json!([{"name": "a", "value": "1"}]), None),
            (entry(), json!({"name": "b", "value": "1"}), None),
            (Source::Constant("c".into()), json!(null), Some("c")),
        ] {
            let event = json!({ "x": value });
            let Value::Object(fields) = &event else { unreachable!("an object was written") };
            let found = source.find(fields, &[]).map(|found| found.convert(LogicalType::String));
            assert_eq!(found, expected.map(|text| Converted::Text(text.into())), "{source:?} of {event}");
        }
    }

    #[test]
    fn the_first_path_present_wins_and_placeholders_are_not_present() {
        let event = json!({"a": "-", "b": null, "c": 3});
        let Value::Object(fields) = &event else { unreachable!("an object was written") };
        let no_value = ["-".to_owned()];
        assert_eq!(physical(&["z", "a", "c"]).find(fields, &[]), Some(&json!("-")));
        assert_eq!(physical(&["z", "a", "c"]).find(fields, &no_value), Some(&json!(3)));
        assert_eq!(physical(&["a", "b", "c"]).find(fields, &no_value), Some(&Value::Null), "null is present");
    }
}
