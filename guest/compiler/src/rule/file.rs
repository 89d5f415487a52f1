//! A rule file and how it is loaded.
//!
//! A [`RuleFile`] exists only if everything that a manifest needs is there. What is merely odd is a warning.

use std::fmt::Write as _;

use sandtrap_wit::{
    manifest::{Attack, Confidence, Level, Limits, Manifest, SCHEMA, SourceText, Status},
    plan::Plan,
};
use sha2::{Digest, Sha256};

use super::{query_file, sentinel, source_map::SourceMap};
use crate::{
    diagnostic::{Diagnostic, Span},
    sigma,
};

/// The longest rule file that is read, in bytes: a query of the greatest length, and as much about it.
pub const FILE_BYTES_MAX: usize = 2 << 20;

/// The namespace of a rule whose file names none.
pub const DEFAULT_NAMESPACE: &str = "local";

/// The longest id or namespace, in bytes.
const ID_BYTES_MAX: usize = 200;

/// What loading a rule file gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The rule, unless an error was found.
    pub rule: Option<RuleFile>,
    /// Spans are bytes of the file's text.
    pub diagnostics: Vec<Diagnostic>,
}

/// A query and what its file says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFile {
    /// What the file says about the rule.
    pub metadata: Metadata,
    /// The query's text, as the parser wants it.
    pub query: String,
    /// SHA-256 of the file's text, in lower-case hex.
    pub digest: String,
    source_map: SourceMap,
}

/// What a rule file says about its rule, in the words of the manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Who publishes the rule.
    pub namespace: String,
    /// The rule's id within its namespace.
    pub id: String,
    /// The rule's own version.
    pub version: Option<String>,
    /// One line.
    pub title: String,
    /// As long as it takes.
    pub description: String,
    /// How bad a true positive is.
    pub level: Option<Level>,
    /// How likely a verdict is a true positive.
    pub confidence: Option<Confidence>,
    /// How mature the rule is.
    pub status: Option<Status>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Known benign causes.
    pub false_positives: Vec<String>,
    /// Free tags.
    pub tags: Vec<String>,
    /// MITRE ATT&CK mapping.
    pub attack: Attack,
    /// `connector: data type`, as Sentinel names them.
    pub data_sources: Vec<String>,
    /// SPDX expression.
    pub licence: Option<String>,
}

/// How a rule file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A KQL query, and nothing else.
    Query,
    /// A KQL query in Sentinel's YAML envelope.
    Sentinel,
    /// Sigma, which [`crate::sigma::parse`] reads.
    Sigma,
}

/// How a file is written: by its name, which may be a path, and, where that leaves two, by its keys. `None` for no rule file.
pub fn kind(file_name: &str, text: &str) -> Option<Kind> {
    match split(file_name).1.to_ascii_lowercase().as_str() {
        "kql" | "csl" | "kusto" => Some(Kind::Query),
        // What is too long is refused by either.
        "yaml" | "yml" if text.len() <= FILE_BYTES_MAX && sigma::is_sigma(text) => Some(Kind::Sigma),
        "yaml" | "yml" => Some(Kind::Sentinel),
        _ => None,
    }
}

/// A file's name without folders, and without its extension, and that.
pub(crate) fn split(file_name: &str) -> (&str, &str) {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    base.rsplit_once('.').unwrap_or((base, ""))
}

/// Loads a rule file that has a query. Its name decides how it is read, and may be a path.
pub fn load(file_name: &str, text: &str) -> Loaded {
    let (stem, _) = split(file_name);
    let mut diagnostics = Vec::new();
    let rule = if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; a rule may have {FILE_BYTES_MAX}", text.len());
        diagnostics.push(Diagnostic::error("RUL0002", 0..0, message).help("split the rule, or shorten its lists"));
        None
    } else {
        match kind(file_name, text) {
            Some(Kind::Query) => query_file::load(stem, text, &mut diagnostics),
            Some(Kind::Sentinel) => sentinel::load(text, &mut diagnostics),
            Some(Kind::Sigma) => {
                let message = "a query is wanted, and this file is of Sigma";
                let help = "give it where Sigma rules are wanted";
                diagnostics.push(Diagnostic::error("RUL0007", 0..0, message).help(help));
                None
            }
            None => {
                let message = format!("`{file_name}` is no rule file by its name");
                let help = "rules are .kql, .csl and .kusto files (a query) and .yaml and .yml files (Sigma, or \
                            Sentinel's envelope)";
                diagnostics.push(Diagnostic::error("RUL0001", 0..0, message).help(help));
                None
            }
        }
    };
    let rule = rule.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    Loaded { rule, diagnostics }
}

impl RuleFile {
    pub(super) fn new(text: &str, metadata: Metadata, query: String, source_map: SourceMap) -> Self {
        let digest = digest(text);
        Self { metadata, query, digest, source_map }
    }

    /// Where in the file a span of the query stands.
    pub fn locate(&self, in_query: &Span) -> Span {
        self.source_map.span(in_query)
    }

    /// A diagnostic about the query as one about the file.
    #[must_use]
    pub fn relocate(&self, diagnostic: Diagnostic) -> Diagnostic {
        Diagnostic { span: self.locate(&diagnostic.span), ..diagnostic }
    }
}

impl Metadata {
    /// The manifest of the detection with this plan.
    pub fn manifest(self, plan: Plan, source: SourceText) -> Manifest {
        Manifest {
            schema: SCHEMA,
            namespace: self.namespace,
            id: self.id,
            version: self.version,
            title: self.title,
            description: self.description,
            level: self.level,
            confidence: self.confidence,
            status: self.status,
            authors: self.authors,
            references: self.references,
            false_positives: self.false_positives,
            tags: self.tags,
            attack: self.attack,
            data_sources: self.data_sources,
            licence: self.licence,
            source: Some(source),
            requires: Vec::new(),
            plan,
            limits: Limits::default(),
        }
    }
}

/// SHA-256 of a file's text, in lower-case hex.
pub fn digest(text: &str) -> String {
    let mut digest = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// What is wrong with an id or a namespace, if anything: both stand in `namespace/id`, in logs and on one line.
pub(crate) fn id_fault(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("is empty")
    } else if id.len() > ID_BYTES_MAX {
        Some("is longer than 200 bytes")
    } else if id.chars().any(|c| c == '/' || c.is_control()) {
        Some("contains a `/` or a control character")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_how_a_file_is_read() {
        for name in ["a.kql", "A.KQL", "dir/a.csl", r"C:\dir\a.kusto"] {
            assert_eq!(load(name, "T").rule.map(|rule| rule.query), Some("T".into()), "{name}");
        }
        for name in ["a.txt", "kql", "a.kql.bak", ""] {
            let loaded = load(name, "T");
            assert_eq!((loaded.rule, loaded.diagnostics[0].code), (None, "RUL0001"), "{name}");
        }
        let sigma = "title: T\nlogsource: {product: a}\ndetection: {}\n";
        let loaded = load("a.yml", sigma);
        assert_eq!((loaded.rule, loaded.diagnostics[0].code), (None, "RUL0007"));
        for (name, text, expected) in [
            ("dir/a.yml", sigma, Some(Kind::Sigma)),
            ("a.YAML", "id: a\nquery: T\n", Some(Kind::Sentinel)),
            ("a.yaml", "", Some(Kind::Sentinel)),
            ("a.kql", sigma, Some(Kind::Query)),
            ("a.txt", sigma, None),
        ] {
            assert_eq!(kind(name, text), expected, "{name}");
        }
        let loaded = load("a.kql", &" ".repeat(FILE_BYTES_MAX + 1));
        assert_eq!((loaded.rule, loaded.diagnostics[0].code), (None, "RUL0002"));
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let rule = load("a.kql", "abc").rule.expect("a query file");
        assert_eq!(rule.digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
