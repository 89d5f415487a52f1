//! The manifest: what a detection says of itself, as the JSON document that `describe` returns.
//!
//! JSON rather than WIT because WIT types are structural: one more enum case would break every component already
//! built. Unknown optional keys are ignored; an unknown plan node, aggregate, atom or `requires` entry refuses the
//! component by name. `manifest.schema.json` describes the same document for other languages; a test holds the two
//! together.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// The manifest version this crate reads and writes.
pub const SCHEMA: u32 = 1;

/// The JSON Schema of the manifest.
pub const JSON_SCHEMA: &str = include_str!("../manifest.schema.json");

/// A detection's identity, plan and wishes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of this document: [`SCHEMA`].
    pub schema: u32,
    /// Who publishes the detection. `namespace/id` is claimed once in a rule set.
    pub namespace: String,
    /// The detection's id within its namespace.
    pub id: String,
    /// The detection's own version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// One line.
    pub title: String,
    /// As long as it takes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How bad a true positive is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// How likely a verdict is a true positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// How mature the detection is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Known benign causes and how to tune them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_positives: Vec<String>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// MITRE ATT&CK mapping.
    #[serde(default, skip_serializing_if = "Attack::is_empty")]
    pub attack: Attack,
    /// What the detection needs to see, in the words of its source (connectors, data components).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<String>,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What the component was compiled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceText>,
    /// Features without which the detection would give wrong answers. A host refuses what it does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// How the detection is evaluated.
    pub plan: Plan,
    /// What the detection asks for; the host grants no more than its own limits.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
}

impl Manifest {
    /// `namespace/id`.
    pub fn full_id(&self) -> String {
        format!("{}/{}", self.namespace, self.id)
    }
}

/// How bad a true positive is: Sigma's levels; Sentinel's severities map onto them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For enrichment, not for alerting.
    Informational,
    /// Notable only in numbers.
    Low,
    /// Worth a look.
    Medium,
    /// Review at once.
    High,
    /// An incident.
    Critical,
}

impl Level {
    /// The name in a manifest and in Sigma.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How likely a verdict is a true positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A lead.
    Low,
    /// More often right than wrong.
    Medium,
    /// Nearly always right.
    High,
}

/// How mature a detection is: Sigma's statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In production use.
    Stable,
    /// Believed good.
    Test,
    /// May well be noisy.
    Experimental,
    /// Replaced by something better.
    Deprecated,
    /// Needs what no current source has.
    Unsupported,
}

/// MITRE ATT&CK mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attack {
    /// Tactic names as ATT&CK writes them (`Command and Control`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tactics: Vec<String>,
    /// Technique ids (`T1219.003`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<String>,
}

impl Attack {
    fn is_empty(&self) -> bool {
        self.tactics.is_empty() && self.techniques.is_empty()
    }
}

/// What a component was compiled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceText {
    /// `kql`, `sigma`, `rust`, ...
    pub language: String,
    /// SHA-256 of the rule file, in lower-case hex.
    pub digest: String,
}

/// What a detection asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl Limits {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
