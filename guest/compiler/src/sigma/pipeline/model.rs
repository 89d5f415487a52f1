//! What a pipeline says.

use std::collections::BTreeMap;

use sandtrap_wit::logsource::Logsource;

use super::{expression::Expression, regex::Pattern, regex::Replacement};
use crate::sigma::ast::Search;

/// A pipeline: what it does, in order.
#[derive(Clone, Debug)]
pub struct Pipeline {
    pub(super) name: String,
    pub(super) priority: i64,
    pub(super) vars: BTreeMap<String, Vec<String>>,
    pub(super) items: Vec<ProcessingItem>,
}

impl Pipeline {
    /// What it is called; empty if it has no name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Pipelines are applied by ascending priority.
    pub fn priority(&self) -> i64 {
        self.priority
    }
}

/// One step of a pipeline.
#[derive(Clone, Debug)]
pub(super) struct ProcessingItem {
    /// What conditions of later items call it.
    pub(super) id: Option<String>,
    pub(super) rule: Logic<RuleCondition>,
    pub(super) item: Logic<ItemCondition>,
    pub(super) field: Logic<FieldCondition>,
    pub(super) transformation: Transformation,
}

/// Conditions and how they are joined. Without conditions it always holds.
#[derive(Clone, Debug)]
pub(super) struct Logic<C> {
    pub(super) conditions: Vec<C>,
    pub(super) join: Join,
    pub(super) negated: bool,
}

/// How conditions are joined.
#[derive(Clone, Debug)]
pub(super) enum Join {
    All,
    Any,
    /// Over the conditions' numbers.
    Expression(Expression),
}

/// Conditions on the rule.
#[derive(Clone, Debug)]
pub(super) enum RuleCondition {
    Logsource(Logsource),
    ContainsField(String),
    ContainsItem { field: String, value: String },
    Applied(String),
    State(StateCondition),
    IsRule,
    IsCorrelation,
    Attribute { attribute: Attribute, op: Op, value: String },
    Tag(String),
}

/// Attributes of a rule that a condition can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Id,
    Name,
    Title,
    Description,
    Taxonomy,
    Level,
    Status,
    Tags,
    References,
    FalsePositives,
    Fields,
}

/// How an attribute or state is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gte,
    Gt,
    Lte,
    Lt,
    In,
    NotIn,
}

/// A condition on what `set_state` has set.
#[derive(Clone, Debug)]
pub(super) struct StateCondition {
    pub(super) key: String,
    pub(super) op: Op,
    pub(super) value: String,
}

/// Conditions on an item of a search.
#[derive(Clone, Debug)]
pub(super) enum ItemCondition {
    /// Of all or any of its values.
    Match {
        test: ValueTest,
        all: bool,
    },
    Applied(String),
    State(StateCondition),
}

/// A test of one value.
#[derive(Clone, Debug)]
pub(super) enum ValueTest {
    String { pattern: Pattern, negate: bool },
    Value(String),
    Wildcard,
    Null,
}

/// Conditions on the name of a field.
#[derive(Clone, Debug)]
pub(super) enum FieldCondition {
    Names { names: Vec<String>, include: bool },
    Patterns { patterns: Vec<Pattern>, include: bool },
    Applied(String),
    State(StateCondition),
}

/// What a step does.
#[derive(Clone, Debug)]
pub(super) enum Transformation {
    Field(FieldTransformation),
    DropItem,
    AddCondition { name: String, search: Search, template: bool, negated: bool },
    ChangeLogsource(Logsource),
    AddFields(Vec<String>),
    RemoveFields(Vec<String>),
    SetFields(Vec<String>),
    Value(ValueTransformation),
    SetState { key: String, value: String },
    RuleFailure(String),
    ItemFailure(String),
}

/// Changes the names of fields.
#[derive(Clone, Debug)]
pub(super) enum FieldTransformation {
    /// To one or several.
    Mapping(BTreeMap<String, Vec<String>>),
    /// What a name begins with, in the order written.
    Prefixes(Vec<(String, Vec<String>)>),
    AddPrefix(String),
    AddSuffix(String),
}

/// Changes values.
#[derive(Clone, Debug)]
pub(super) enum ValueTransformation {
    /// Placeholders become the pipeline's `vars`.
    ValuePlaceholders(Names),
    /// Placeholders become `*`.
    WildcardPlaceholders(Names),
    Replace {
        pattern: Pattern,
        replacement: Replacement,
        skip_special: bool,
    },
    Map(BTreeMap<String, Vec<String>>),
}

/// Which placeholders are meant.
#[derive(Clone, Debug)]
pub(super) enum Names {
    All,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl Names {
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|known| known == name),
            Self::AllBut(names) => !names.iter().any(|known| known == name),
        }
    }
}
