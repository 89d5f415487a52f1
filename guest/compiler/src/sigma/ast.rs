//! What a Sigma file says, with the places it says it at: what the parser builds, pipelines rewrite, and the lowering
//! and the reference interpreter each read.
//!
//! Section names below are those of the Sigma specification 2.1
//! (<https://github.com/SigmaHQ/sigma-specification/tree/main/specification>). Values are kept as they are written, with
//! their modifiers beside them: what a modifier makes of a value is the reader's business.

use sandtrap_wit::logsource::Logsource;

use crate::{diagnostic::Span, rule::Metadata};

/// One document of a Sigma file, after collections are put together.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A detection rule.
    Rule(Box<Rule>),
    /// A Sigma filter: narrows the rules it names.
    Filter(Box<Filter>),
    /// A correlation rule.
    Correlation(Box<Correlation>),
}

/// A detection rule ("Sigma Rules Specification").
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What the file says about the rule, in the words of the manifest. `metadata.id` is the rule's `id`.
    pub metadata: Metadata,
    /// `name`: what correlation rules and filters may call it.
    pub name: Option<String>,
    /// `taxonomy`: which names its fields have; `sigma` unless said.
    pub taxonomy: String,
    /// `logsource`.
    pub logsource: Logsource,
    /// Where `logsource` stands.
    pub logsource_span: Span,
    /// `detection`.
    pub detection: Detection,
    /// `fields`: what an analyst wants to see.
    pub fields: Vec<String>,
    /// Where the document stands.
    pub span: Span,
}

/// Search identifiers and the conditions over them.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// In the order of the file; names are unique.
    pub searches: Vec<SearchIdentifier>,
    /// At least one; a rule matches where one of them holds ("Condition").
    pub conditions: Vec<Condition>,
}

/// A named search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchIdentifier {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What it looks for.
    pub search: Search,
}

/// What a search identifier looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// A map: all must hold ("Maps").
    All(Vec<Search>),
    /// A list of maps: one must hold ("Lists").
    Any(Vec<Search>),
    /// One entry of a map, or keywords.
    Item(Item),
}

/// A field, or the whole event, and the values that are looked for in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The field; `None` for keywords, which may be anywhere in the event ("Keywords search").
    pub field: Option<String>,
    /// In the order written: they are applied in it ("Value Modifiers").
    pub modifiers: Vec<SpannedModifier>,
    /// One value, or a list of which one must be there (all, with [`Modifier::All`]). Never empty.
    pub values: Vec<Value>,
    /// Where the key stands; for keywords without one, where the values do.
    pub span: Span,
}

/// A modifier and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct SpannedModifier {
    /// Which.
    pub modifier: Modifier,
    /// Where it stands.
    pub span: Span,
}

/// Value modifiers (appendix "Sigma Modifiers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are called as the specification calls them, which says what they do")]
pub enum Modifier {
    All,
    StartsWith,
    EndsWith,
    Contains,
    Exists,
    Cased,
    Neq,
    Windash,
    Re,
    /// `i` after `re`.
    Insensitive,
    /// `m` after `re`.
    MultiLine,
    /// `s` after `re`.
    SingleLine,
    Base64,
    Base64Offset,
    /// `utf16le`, and its other name `wide`.
    Utf16Le,
    Utf16Be,
    Utf16,
    Lt,
    Lte,
    Gt,
    Gte,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Cidr,
    Expand,
    FieldRef,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it is.
    pub data: ValueData,
    /// Where it stands.
    pub span: Span,
}

/// What a value is, by YAML 1.2's core schema; quoted scalars are always text.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueData {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from -2^63 to 2^64 - 1.
    Integer(i128),
    /// A number with a fraction or an exponent, or a whole one beyond these; finite.
    Real(f64),
    /// Anything else, with wildcards, escapes and placeholders as they are written.
    Text(String),
}

/// A condition ("Condition").
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One must hold.
    Or(Vec<Condition>),
    /// All must hold.
    And(Vec<Condition>),
    /// It must not hold.
    Not(Box<Condition>),
    /// A search identifier, which exists.
    Search {
        /// Index into [`Detection::searches`].
        index: usize,
        /// Where it stands.
        span: Span,
    },
    /// `1 of`, `all of`: over search identifiers.
    Of {
        /// Whether all must hold, or one.
        all: bool,
        /// Indices into [`Detection::searches`]: those that the pattern, or `them`, takes. Never empty.
        searches: Vec<usize>,
        /// Where it stands.
        span: Span,
    },
}

/// A Sigma filter ("Sigma Filters Specification"). A rule that it names matches only where this holds, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// `title`.
    pub title: String,
    /// `id`.
    pub id: Option<String>,
    /// `logsource`: only rules of this logsource are narrowed.
    pub logsource: Logsource,
    /// `filter.rules`: ids or names of rules.
    pub rules: FilteredRules,
    /// The searches and the condition under `filter`.
    pub detection: Detection,
    /// Where the document stands.
    pub span: Span,
}

/// Which rules a filter narrows.
#[derive(Clone, Debug, PartialEq)]
pub enum FilteredRules {
    /// Every rule of its logsource (`any`).
    Any,
    /// Those with these ids or names.
    Named(Vec<(String, Span)>),
}

/// A correlation rule ("Sigma Correlation Rules Specification"): read and checked, not yet run.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// What the file says about the rule.
    pub metadata: Metadata,
    /// `name`.
    pub name: Option<String>,
    /// `correlation.type`.
    pub kind: CorrelationKind,
    /// `correlation.rules`: ids or names of rules.
    pub rules: Vec<String>,
    /// `correlation.group-by`.
    pub group_by: Vec<String>,
    /// `correlation.timespan`, in seconds.
    pub timespan_seconds: u64,
    /// Where `type` stands.
    pub kind_span: Span,
    /// Where the document stands.
    pub span: Span,
}

/// Types of correlation rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called as the specification calls them, which says what they do")]
pub enum CorrelationKind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
}

impl Modifier {
    /// What the specification calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
            Self::Contains => "contains",
            Self::Exists => "exists",
            Self::Cased => "cased",
            Self::Neq => "neq",
            Self::Windash => "windash",
            Self::Re => "re",
            Self::Insensitive => "i",
            Self::MultiLine => "m",
            Self::SingleLine => "s",
            Self::Base64 => "base64",
            Self::Base64Offset => "base64offset",
            Self::Utf16Le => "utf16le",
            Self::Utf16Be => "utf16be",
            Self::Utf16 => "utf16",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::Cidr => "cidr",
            Self::Expand => "expand",
            Self::FieldRef => "fieldref",
        }
    }
}

impl CorrelationKind {
    /// What `correlation.type` says.
    pub fn name(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
            Self::ValueSum => "value_sum",
            Self::ValueAvg => "value_avg",
            Self::ValuePercentile => "value_percentile",
            Self::ValueMedian => "value_median",
        }
    }
}

impl Condition {
    /// Where it begins: the place of its first search identifier.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Or(operands) | Self::And(operands) => operands.iter().find_map(Self::span),
            Self::Not(operand) => operand.span(),
            Self::Search { span, .. } | Self::Of { span, .. } => Some(span.clone()),
        }
    }
}
