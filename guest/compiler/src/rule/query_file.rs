//! A file that is nothing but a query.
//!
//! Its id is the file's name without extension; its title the first line of the comments before the query, or the id.

use super::{
    DEFAULT_NAMESPACE,
    file::{Metadata, RuleFile, id_fault},
    source_map::SourceMap,
};
use crate::diagnostic::Diagnostic;

pub(super) fn load(stem: &str, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<RuleFile> {
    if let Some(fault) = id_fault(stem) {
        let message = format!("the file's name is the rule's id, and it {fault}");
        diagnostics.push(Diagnostic::error("RUL0003", 0..0, message).help("rename the file"));
        return None;
    }
    let query = text.strip_prefix('\u{feff}').unwrap_or(text);
    let metadata = Metadata {
        namespace: DEFAULT_NAMESPACE.to_owned(),
        id: stem.to_owned(),
        title: title(query).unwrap_or(stem).to_owned(),
        ..Metadata::default()
    };
    Some(RuleFile::new(text, metadata, query.to_owned(), SourceMap::shifted(text.len() - query.len())))
}

/// The first line with words of the comments that the query begins with.
fn title(query: &str) -> Option<&str> {
    query
        .lines()
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with("//"))
        .map(|line| line.trim_start_matches('/').trim())
        .find(|line| line.contains(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::super::load;

    #[test]
    fn the_title_is_the_first_comment() {
        for (text, title) in [
            ("T", "name"),
            ("// A title\nT", "A title"),
            ("\n//\n// ----\n//  A title \n// more\nT", "A title"),
            ("T // no title", "name"),
            ("T\n// no title\n| count", "name"),
            ("\u{feff}// A title\r\nT", "A title"),
        ] {
            let rule = load("dir/name.kql", text).rule.expect("a query file");
            assert_eq!((rule.metadata.id.as_str(), rule.metadata.title.as_str()), ("name", title), "{text}");
        }
    }

    #[test]
    fn positions_are_those_of_the_file() {
        let text = "\u{feff}Täble | count";
        let rule = load("a.kql", text).rule.expect("a query file");
        assert_eq!(&text[rule.locate(&(0..6))], "Täble");
        assert_eq!(rule.locate(&(0..0)), 3..3);
    }

    #[test]
    fn a_name_that_is_no_id_is_refused() {
        for name in [".kql", "a\n.kql"] {
            let loaded = load(name, "T");
            assert_eq!((loaded.rule, loaded.diagnostics[0].code), (None, "RUL0003"), "{name:?}");
        }
    }
}
