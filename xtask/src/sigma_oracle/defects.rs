//! Where rsigma-eval 0.23.0 contradicts the specification, by the construct of the rule that shows it.
//!
//! Only for generated events, where the numbers of explained.json cannot hold. Each was found in rsigma's source and then
//! seen in a run; what it does to windows-100k is in explained.json.

use saphyr::Yaml;

/// A defect.
pub(super) struct Defect {
    /// What rsigma does.
    pub(super) what: &'static str,
    /// The section of specification 2.1.0 that it contradicts.
    pub(super) spec: &'static str,
    /// Whether a value under a key, which is empty for keywords, shows it.
    shows: fn(&Item<'_>) -> bool,
    /// Whether the event has to have a line feed.
    needs_line_feed: bool,
}

/// A key of a rule with one of its values.
struct Item<'a> {
    field: &'a str,
    modifiers: Vec<&'a str>,
    value: &'a Yaml<'a>,
}

impl Item<'_> {
    fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    fn text(&self) -> &str {
        self.value.as_str().unwrap_or_default()
    }

    /// Whether the value has a wildcard.
    fn is_wild(&self) -> bool {
        let mut characters = self.text().chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => drop(characters.next_if(|next| matches!(next, '\\' | '*' | '?'))),
                '*' | '?' => return !self.has("re"),
                _ => {}
            }
        }
        false
    }
}

/// The defects. The first that a rule shows explains a difference.
pub(super) const DEFECTS: [Defect; 7] = [
    Defect {
        what: "keywords under '|all' have to equal one and the same value",
        spec: "rules, Keywords search: each may be anywhere in the event",
        shows: |item| item.field.is_empty() && item.has("all"),
        needs_line_feed: false,
    },
    Defect {
        what: "keywords are not looked for in numbers, and a number is never found",
        spec: "rules, Keywords search and General: the entire event, all values are strings",
        shows: |item| item.field.is_empty() && item.value.is_integer(),
        needs_line_feed: false,
    },
    Defect {
        what: "with a wildcard in the value, startswith anchors at the end and endswith at the start",
        spec: "modifiers, Generic: startswith and endswith",
        shows: |item| (item.has("startswith") || item.has("endswith")) && item.is_wild(),
        needs_line_feed: false,
    },
    Defect {
        what: "a slash is not replaced by a dash",
        spec: "modifiers, String: windash takes all five for one another",
        shows: |item| item.has("windash") && item.text().contains('/'),
        needs_line_feed: false,
    },
    Defect {
        what: "the last character, which the following byte decides too, has to match",
        spec: "modifiers, Encoding: base64offset searches the static part in the middle",
        shows: |item| item.has("base64offset"),
        needs_line_feed: false,
    },
    Defect {
        what: "a placeholder is the event's field of that name",
        spec: "rules, Placeholders: from a pipeline, else the rule is rejected",
        shows: |item| item.has("expand"),
        needs_line_feed: false,
    },
    Defect {
        what: "wildcards do not match a line feed",
        spec: "rules, String Wildcard: ? is any single character and * any number of them",
        shows: |item| item.is_wild(),
        needs_line_feed: true,
    },
];

/// The defects that the detection of a rule shows.
pub(super) fn of(detection: &Yaml<'_>) -> Vec<usize> {
    let shown = |defect: &Defect| any_item(detection, &defect.shows);
    DEFECTS.iter().enumerate().filter(|(_, defect)| shown(defect)).map(|(at, _)| at).collect()
}

/// The defect, of those that a rule shows, that explains a difference over an event.
pub(super) fn explaining(shown: &[usize], event: &str) -> Option<usize> {
    // Events are JSON, in which a line feed is written so.
    let has_line_feed = event.contains(r"\n");
    let explains = |at: &&usize| DEFECTS.get(**at).is_some_and(|defect| !defect.needs_line_feed || has_line_feed);
    shown.iter().find(explains).copied()
}

/// Whether any key and value of a detection is so.
fn any_item(detection: &Yaml<'_>, test: &dyn Fn(&Item<'_>) -> bool) -> bool {
    let identifiers = detection.as_mapping().into_iter().flatten();
    let mut identifiers =
        identifiers.filter(|(name, _)| !matches!(name.as_str(), Some("condition" | "timeframe") | None));
    identifiers.any(|(_, definition)| any_of("", definition, test))
}

fn any_of(key: &str, value: &Yaml<'_>, test: &dyn Fn(&Item<'_>) -> bool) -> bool {
    if let Some(map) = value.as_mapping() {
        map.iter().any(|(key, value)| any_of(key.as_str().unwrap_or_default(), value, test))
    } else if let Some(list) = value.as_sequence() {
        list.iter().any(|value| any_of(key, value, test))
    } else {
        let mut modifiers: Vec<&str> = key.split('|').collect();
        let field = modifiers.remove(0);
        test(&Item { field, modifiers, value })
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use saphyr::LoadableYamlNode as _;

    use super::*;

    #[test]
    fn a_rule_shows_the_defects_of_its_constructs() -> anyhow::Result<()> {
        for (detection, shown) in [
            (r"{s: {Image|endswith: '\a.exe', B: 1, C|re: 'a.*'}, condition: s}", &[][..]),
            ("{k: {'|all': [a, b]}, condition: k}", &[0]),
            ("{k: [a, 5], condition: k}", &[1]),
            (r"{s: {Image|endswith: '\a*.exe'}, condition: s}", &[2, 6]),
            (r"{s: [{C|windash|contains: ' /s'}], condition: s}", &[3]),
            (r"{s: {C|contains|base64offset: x}, condition: s}", &[4]),
            (r"{s: {C|expand: '%x%'}, condition: s}", &[5]),
            (r"{s: {C: 'a\\*'}, condition: s}", &[6]),
            (r"{s: {C: 'a\*'}, condition: 1 of s*}", &[]),
        ] {
            let documents = Yaml::load_from_str(detection)?;
            assert_eq!(of(documents.first().context("a document")?), shown, "{detection}");
        }
        Ok(())
    }

    #[test]
    fn a_line_feed_has_to_be_there() {
        assert_eq!(explaining(&[6], r#"{"a":"b\nc"}"#), Some(6));
        assert_eq!(explaining(&[6], r#"{"a":"b"}"#), None);
        assert_eq!(explaining(&[2, 6], r#"{"a":"b"}"#), Some(2));
        assert_eq!(explaining(&[], r#"{"a":"b"}"#), None);
    }
}
