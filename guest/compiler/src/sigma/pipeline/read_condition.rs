//! Reads the conditions of a processing item: on the rule, on items of its searches, on names of fields.

use sandtrap_wit::logsource::Logsource;

use super::{
    codes,
    expression::Expression,
    model::{Attribute, FieldCondition, ItemCondition, Join, Logic, Op, RuleCondition, StateCondition, ValueTest},
    parameters::Parameters,
    regex::Pattern,
};
use crate::{
    sigma::parser::report::Report,
    suggest,
    yaml::{Data, Node},
};

const RULE: [&str; 9] = [
    "logsource",
    "contains_detection_item",
    "contains_field",
    "processing_item_applied",
    "processing_state",
    "is_sigma_rule",
    "is_sigma_correlation_rule",
    "rule_attribute",
    "tag",
];
const ITEM: [&str; 6] =
    ["match_string", "match_value", "contains_wildcard", "is_null", "processing_item_applied", "processing_state"];
const FIELD: [&str; 4] = ["include_fields", "exclude_fields", "processing_item_applied", "processing_state"];

const ATTRIBUTES: [(&str, Attribute); 12] = [
    ("id", Attribute::Id),
    ("name", Attribute::Name),
    ("title", Attribute::Title),
    ("description", Attribute::Description),
    ("taxonomy", Attribute::Taxonomy),
    ("level", Attribute::Level),
    ("status", Attribute::Status),
    ("tags", Attribute::Tags),
    ("references", Attribute::References),
    ("falsepositives", Attribute::FalsePositives),
    ("false_positives", Attribute::FalsePositives),
    ("fields", Attribute::Fields),
];

const OPS: [(&str, Op); 8] = [
    ("eq", Op::Eq),
    ("ne", Op::Ne),
    ("gte", Op::Gte),
    ("gt", Op::Gt),
    ("lte", Op::Lte),
    ("lt", Op::Lt),
    ("in", Op::In),
    ("not_in", Op::NotIn),
];

/// The keys of one kind of conditions.
struct Keys {
    conditions: &'static str,
    expression: &'static str,
    op: &'static str,
    not: &'static str,
}

pub(super) fn rule_conditions(item: &mut Parameters, report: &mut Report) -> Option<Logic<RuleCondition>> {
    let keys =
        Keys { conditions: "rule_conditions", expression: "rule_cond_expr", op: "rule_cond_op", not: "rule_cond_not" };
    logic(item, &keys, &RULE, rule_condition, report)
}

pub(super) fn item_conditions(item: &mut Parameters, report: &mut Report) -> Option<Logic<ItemCondition>> {
    let keys = Keys {
        conditions: "detection_item_conditions",
        expression: "detection_item_cond_expr",
        op: "detection_item_cond_op",
        not: "detection_item_cond_not",
    };
    logic(item, &keys, &ITEM, item_condition, report)
}

pub(super) fn field_conditions(item: &mut Parameters, report: &mut Report) -> Option<Logic<FieldCondition>> {
    let keys = Keys {
        conditions: "field_name_conditions",
        expression: "field_name_cond_expr",
        op: "field_name_cond_op",
        not: "field_name_cond_not",
    };
    logic(item, &keys, &FIELD, field_condition, report)
}

type Read<C> = fn(&str, &mut Parameters, &mut Report) -> Option<C>;

fn logic<C>(
    item: &mut Parameters,
    keys: &Keys,
    known: &[&'static str],
    read: Read<C>,
    report: &mut Report,
) -> Option<Logic<C>> {
    let negated = item.flag(keys.not, report);
    let op = item.text(keys.op, report);
    let expression = item.text(keys.expression, report);
    let node = item.node(keys.conditions).filter(|node| !node.is_null());
    let mut names = Vec::new();
    let nodes: Vec<&Node> = match node.map(|node| &node.data) {
        None => Vec::new(),
        Some(Data::List(nodes)) => nodes.iter().collect(),
        Some(Data::Mapping(entries)) => {
            names.extend(entries.iter().map(|(key, _)| key.scalar().unwrap_or_default().to_owned()));
            entries.iter().map(|(_, node)| node).collect()
        }
        Some(Data::Scalar { .. }) => {
            if let Some(node) = node {
                item.wrong(node, keys.conditions, "a list of conditions", report);
            }
            return None;
        }
    };
    let conditions: Option<Vec<C>> = nodes.iter().map(|node| condition(node, known, read, report)).collect();
    let join = match (op.as_deref(), expression) {
        (None | Some("and"), None) => Join::All,
        (Some("or"), None) => Join::Any,
        (Some(_), None) => {
            item.node(keys.op).into_iter().for_each(|node| item.wrong(node, keys.op, "`and` or `or`", report));
            return None;
        }
        (Some(_), Some(_)) => {
            let message = format!("`{}` and `{}` exclude each other", keys.op, keys.expression);
            report.error(codes::EXPRESSION, &item.span, message, "remove one of the two");
            return None;
        }
        (None, Some(expression)) => {
            let span = item.node(keys.expression).map_or(item.span.clone(), |node| node.span.clone());
            match Expression::parse(&expression, &names) {
                Ok(expression) => Join::Expression(expression),
                Err(reason) => {
                    let help = format!("`{}` must be a mapping of names to conditions", keys.conditions);
                    report.error(codes::EXPRESSION, &span, reason, help);
                    return None;
                }
            }
        }
    };
    Some(Logic { conditions: conditions?, join, negated })
}

fn condition<C>(node: &Node, known: &[&'static str], read: Read<C>, report: &mut Report) -> Option<C> {
    let mut parameters = Parameters::of(node, "a condition", report)?;
    let (kind, at) = parameters.required("type", report)?;
    if !known.contains(&kind.as_str()) {
        let help = suggest::closest(&kind, known.iter().copied())
            .map_or_else(|| format!("there are {}", known.join(", ")), |found| format!("did you mean `{found}`?"));
        report.error(codes::CONDITION, &at.span, format!("there is no condition `{kind}` here"), help);
        return None;
    }
    parameters.rename(format!("`{kind}`"), &at.span);
    // After an error not every key was asked for, so that none can be called unknown.
    let condition = read(&kind, &mut parameters, report)?;
    parameters.finish(report);
    Some(condition)
}

fn rule_condition(kind: &str, from: &mut Parameters, report: &mut Report) -> Option<RuleCondition> {
    Some(match kind {
        "logsource" => RuleCondition::Logsource(logsource(from, report)?),
        "contains_field" => RuleCondition::ContainsField(from.required("field", report)?.0),
        "contains_detection_item" => {
            let (field, value) = (from.required("field", report), from.required("value", report));
            RuleCondition::ContainsItem { field: field?.0, value: value?.0 }
        }
        "processing_item_applied" => RuleCondition::Applied(from.required("processing_item_id", report)?.0),
        "processing_state" => RuleCondition::State(state(from, report)?),
        "is_sigma_rule" => RuleCondition::IsRule,
        "is_sigma_correlation_rule" => RuleCondition::IsCorrelation,
        "tag" => RuleCondition::Tag(from.required("tag", report)?.0),
        _ => attribute(from, report)?,
    })
}

/// Product, category and service; at least one.
pub(super) fn logsource(from: &mut Parameters, report: &mut Report) -> Option<Logsource> {
    let [product, category, service] = ["product", "category", "service"].map(|part| from.text(part, report));
    if product.is_none() && category.is_none() && service.is_none() {
        from.missing("product`, `category` or `service", report);
        return None;
    }
    Some(Logsource::new(product.as_deref(), category.as_deref(), service.as_deref()))
}

fn attribute(from: &mut Parameters, report: &mut Report) -> Option<RuleCondition> {
    let (name, at) = from.required("attribute", report)?;
    let value = from.required("value", report);
    let op = op(from, report)?;
    let Some((_, attribute)) = ATTRIBUTES.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = ATTRIBUTES.iter().map(|(name, _)| *name).collect();
        let message = format!("the attribute `{name}` of rules cannot be asked for");
        report.error(codes::CONDITION, &at.span, message, format!("there are {}", names.join(", ")));
        return None;
    };
    let is_list =
        matches!(attribute, Attribute::Tags | Attribute::References | Attribute::FalsePositives | Attribute::Fields);
    let is_ordered = matches!(attribute, Attribute::Level | Attribute::Status);
    let fits = match op {
        Op::In | Op::NotIn => is_list,
        Op::Eq | Op::Ne => !is_list,
        Op::Gte | Op::Gt | Op::Lte | Op::Lt => is_ordered,
    };
    if !fits {
        let wanted = if is_list {
            "`in` or `not_in`"
        } else if is_ordered {
            "`eq`, `ne`, `gte`, `gt`, `lte` or `lt`"
        } else {
            "`eq` or `ne`"
        };
        let message = format!("`{name}` cannot be compared so");
        report.error(codes::CONDITION, &at.span, message, format!("use {wanted} as its `op`"));
        return None;
    }
    Some(RuleCondition::Attribute { attribute: *attribute, op, value: value?.0 })
}

fn op(from: &mut Parameters, report: &mut Report) -> Option<Op> {
    let Some(name) = from.text("op", report) else { return Some(Op::Eq) };
    let found = OPS.iter().find(|(known, _)| *known == name).map(|(_, op)| *op);
    if found.is_none() {
        from.node("op").into_iter().for_each(|node| {
            let names: Vec<_> = OPS.iter().map(|(name, _)| *name).collect();
            from.wrong(node, "op", &format!("one of {}", names.join(", ")), report);
        });
    }
    found
}

fn state(from: &mut Parameters, report: &mut Report) -> Option<StateCondition> {
    let (key, value) = (from.required("key", report), from.required("val", report));
    let op = op(from, report)?;
    Some(StateCondition { key: key?.0, op, value: value?.0 })
}

fn item_condition(kind: &str, from: &mut Parameters, report: &mut Report) -> Option<ItemCondition> {
    let test = match kind {
        "processing_item_applied" => {
            return Some(ItemCondition::Applied(from.required("processing_item_id", report)?.0));
        }
        "processing_state" => return Some(ItemCondition::State(state(from, report)?)),
        "match_string" => {
            let negate = from.flag("negate", report);
            let (written, at) = from.required("pattern", report)?;
            Some(ValueTest::String { pattern: pattern(&written, at, report)?, negate })
        }
        "match_value" => from.required("value", report).map(|(value, _)| ValueTest::Value(value)),
        "contains_wildcard" => Some(ValueTest::Wildcard),
        _ => Some(ValueTest::Null),
    };
    let (cond, at) = from.required("cond", report)?;
    let all = match cond.as_str() {
        "all" => true,
        "any" => false,
        _ => {
            from.wrong(at, "cond", "`any` or `all`", report);
            return None;
        }
    };
    Some(ItemCondition::Match { test: test?, all })
}

fn field_condition(kind: &str, from: &mut Parameters, report: &mut Report) -> Option<FieldCondition> {
    let include = match kind {
        "processing_item_applied" => {
            return Some(FieldCondition::Applied(from.required("processing_item_id", report)?.0));
        }
        "processing_state" => return Some(FieldCondition::State(state(from, report)?)),
        kind => kind == "include_fields",
    };
    let names = from.required_texts("fields", report)?;
    let at = from.node("fields");
    match from.text("mode", report).as_deref() {
        None | Some("plain") => Some(FieldCondition::Names { names, include }),
        Some("re") => {
            let patterns: Option<_> = names.iter().map(|written| pattern(written, at?, report)).collect();
            Some(FieldCondition::Patterns { patterns: patterns?, include })
        }
        Some(_) => {
            from.node("mode").into_iter().for_each(|node| from.wrong(node, "mode", "`plain` or `re`", report));
            None
        }
    }
}

/// An expression, or an error at `at`.
pub(super) fn pattern(written: &str, at: &Node, report: &mut Report) -> Option<Pattern> {
    Pattern::new(written)
        .map_err(|reason| {
            let message = format!("`{written}` is not a regular expression: {reason}");
            report.error(codes::REGEX, &at.extent(), message, "write it without look-around and back references");
        })
        .ok()
}
