//! Whether a rule, an item or a field is one that a processing item is about.

use sandtrap_wit::manifest::{Level, Status};

use super::{
    apply::Run,
    model::{Attribute, FieldCondition, ItemCondition, Join, Logic, Op, RuleCondition, StateCondition},
    tree::Worked,
    value,
};
use crate::sigma::ast::{Item, Modifier, Rule, ValueData};

impl<C> Logic<C> {
    /// Whether the conditions hold, if `holds` says which do.
    pub(super) fn holds(&self, holds: impl Fn(&C) -> bool) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let joined = match &self.join {
            Join::All => self.conditions.iter().all(&holds),
            Join::Any => self.conditions.iter().any(&holds),
            Join::Expression(expression) => expression.holds(&|number| self.conditions.get(number).is_some_and(&holds)),
        };
        joined != self.negated
    }
}

impl RuleCondition {
    pub(super) fn holds(&self, run: &Run) -> bool {
        let items = || run.searches.iter().flat_map(|(_, tree)| tree.items());
        match self {
            Self::Logsource(logsource) => logsource.wants(&run.rule.logsource),
            Self::ContainsField(field) => items().any(|worked| worked.item.field.as_ref() == Some(field)),
            Self::ContainsItem { field, value } => items().any(|Worked { item, .. }| {
                let has = |found| value::is_value(item, found, value);
                item.field.as_ref() == Some(field) && item.values.iter().any(has)
            }),
            Self::Applied(id) => run.applied.contains(id),
            Self::State(state) => state.holds(run),
            Self::IsRule => true,
            Self::IsCorrelation => false,
            Self::Attribute { attribute, op, value } => has_attribute(run.rule, *attribute, *op, value),
            Self::Tag(tag) => has_tag(run.rule, tag),
        }
    }
}

impl StateCondition {
    fn holds(&self, run: &Run) -> bool {
        let Some(value) = run.state.get(&self.key) else { return false };
        let order = match (value.parse::<f64>(), self.value.parse::<f64>()) {
            (Ok(value), Ok(wanted)) => value.total_cmp(&wanted),
            _ => value.cmp(&self.value),
        };
        is_so(self.op, order)
    }
}

fn is_so(op: Op, order: std::cmp::Ordering) -> bool {
    match op {
        Op::Eq | Op::In => order.is_eq(),
        Op::Ne | Op::NotIn => order.is_ne(),
        Op::Gte => order.is_ge(),
        Op::Gt => order.is_gt(),
        Op::Lte => order.is_le(),
        Op::Lt => order.is_lt(),
    }
}

impl ItemCondition {
    pub(super) fn holds(&self, worked: &Worked, run: &Run) -> bool {
        match self {
            Self::Match { test, all: true } => worked.item.values.iter().all(|value| test.passes(&worked.item, value)),
            Self::Match { test, all: false } => worked.item.values.iter().any(|value| test.passes(&worked.item, value)),
            Self::Applied(id) => worked.applied.contains(id),
            Self::State(state) => state.holds(run),
        }
    }
}

impl FieldCondition {
    /// Of a name; `None` is the whole event.
    pub(super) fn holds(&self, field: Option<&str>, run: &Run) -> bool {
        match self {
            Self::Names { names, include } => {
                field.is_some_and(|field| names.iter().any(|name| name == field)) == *include
            }
            Self::Patterns { patterns, include } => {
                field.is_some_and(|field| patterns.iter().any(|pattern| pattern.begins(field))) == *include
            }
            Self::Applied(id) => {
                field.and_then(|field| run.field_applied.get(field)).is_some_and(|applied| applied.contains(id))
            }
            Self::State(state) => state.holds(run),
        }
    }

    /// Of an item: of its field, or of one that its values refer to.
    pub(super) fn holds_for(&self, item: &Item, run: &Run) -> bool {
        let referred = || {
            value::has(item, Modifier::FieldRef)
                && item
                    .values
                    .iter()
                    .any(|value| matches!(&value.data, ValueData::Text(field) if self.holds(Some(field), run)))
        };
        self.holds(item.field.as_deref(), run) || referred()
    }
}

/// Levels and statuses in ascending order, as pySigma has them.
const LEVELS: [Level; 5] = [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];
const STATUSES: [(&str, Status); 5] = [
    ("unsupported", Status::Unsupported),
    ("deprecated", Status::Deprecated),
    ("experimental", Status::Experimental),
    ("test", Status::Test),
    ("stable", Status::Stable),
];

fn has_attribute(rule: &Rule, attribute: Attribute, op: Op, wanted: &str) -> bool {
    let metadata = &rule.metadata;
    let text = |text: &str| is_so(op, text.cmp(wanted));
    let list = |texts: &[String]| texts.iter().any(|text| text == wanted) == (op == Op::In);
    match attribute {
        Attribute::Id => text(&metadata.id),
        Attribute::Name => rule.name.as_deref().is_some_and(text),
        Attribute::Title => text(&metadata.title),
        Attribute::Description => text(&metadata.description),
        Attribute::Taxonomy => text(&rule.taxonomy),
        Attribute::Level => {
            let of = |name: &str| LEVELS.iter().position(|level| level.name().eq_ignore_ascii_case(name));
            let own = metadata.level.and_then(|level| of(level.name()));
            own.zip(of(wanted)).is_some_and(|(own, wanted)| is_so(op, own.cmp(&wanted)))
        }
        Attribute::Status => {
            let own = metadata.status.and_then(|own| STATUSES.iter().position(|(_, status)| *status == own));
            let wanted = STATUSES.iter().position(|(name, _)| name.eq_ignore_ascii_case(wanted));
            own.zip(wanted).is_some_and(|(own, wanted)| is_so(op, own.cmp(&wanted)))
        }
        Attribute::Tags => has_tag(rule, wanted) == (op == Op::In),
        Attribute::References => list(&metadata.references),
        Attribute::FalsePositives => list(&metadata.false_positives),
        Attribute::Fields => list(&rule.fields),
    }
}

/// Tags of ATT&CK are kept apart from the others, in ATT&CK's own words.
fn has_tag(rule: &Rule, tag: &str) -> bool {
    let same = |words: &str, other: &str| letters(words) == letters(other);
    let attack = &rule.metadata.attack;
    rule.metadata.tags.iter().any(|own| own.eq_ignore_ascii_case(tag))
        || tag.to_ascii_lowercase().strip_prefix("attack.").is_some_and(|name| {
            attack.techniques.iter().any(|technique| technique.eq_ignore_ascii_case(name))
                || attack.tactics.iter().any(|tactic| same(tactic, name))
        })
}

fn letters(words: &str) -> String {
    words.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
