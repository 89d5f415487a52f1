//! Whether a YAML file is of Sigma, or has a query in an envelope.

use crate::yaml::{self, Node};

/// Keys that only Sigma's documents have.
const SURE: [&str; 3] = ["detection", "correlation", "logsource"];

/// Keys that Sigma's documents have, and that something beside a `query` may be called, too.
const LIKELY: [&str; 2] = ["filter", "action"];

/// Whether a YAML file is to be read as Sigma: one of its documents has a key that says so. Of a file that is not YAML the
/// beginnings of lines are looked at, so that it gets the diagnostics it should.
pub fn is_sigma(text: &str) -> bool {
    let stream = yaml::read(text);
    let documents: Vec<&Node> = stream.documents.iter().flatten().collect();
    if !documents.is_empty() {
        return documents.into_iter().any(is_document);
    }
    text.lines().any(|line| SURE.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))))
}

fn is_document(document: &Node) -> bool {
    let has = |key: &&str| document.member(key).is_some();
    SURE.iter().any(has) || (LIKELY.iter().any(has) && document.member("query").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_so() {
        for (text, expected) in [
            ("title: t\nlogsource: {product: a}\ndetection: {}\n", true),
            ("detection:\n", true),
            ("title: t\ncorrelation: {}\n", true),
            ("title: t\nfilter: {}\n", true),
            ("action: global\ntitle: t\n---\ndetection: {}\n", true),
            ("title: t\n---\ndetection: {}\n", true),
            ("id: a\nname: b\nquery: T\n", false),
            ("id: a\nname: b\nquery: T\nfilter: x\n", false),
            ("id: a\nquery: |\n  detection: x\n", false),
            ("title: t\n", false),
            ("", false),
            ("- detection: x\n", false),
            ("title: a: b\ndetection: x\n", true),
            ("title: a: b\n detection: x\nquery: x\n", false),
        ] {
            assert_eq!(is_sigma(text), expected, "{text}");
        }
    }
}
