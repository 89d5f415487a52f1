//! Reads what a processing item does.

use super::{
    codes,
    model::{FieldTransformation, Names, Transformation, ValueTransformation},
    parameters::Parameters,
    read_condition::{logsource, pattern},
    regex::Replacement,
};
use crate::{
    sigma::parser::{report::Report, search},
    suggest,
    yaml::{Data, Node},
};

const KNOWN: [&str; 17] = [
    "field_name_mapping",
    "field_name_prefix_mapping",
    "field_name_prefix",
    "field_name_suffix",
    "drop_detection_item",
    "add_condition",
    "change_logsource",
    "add_field",
    "remove_field",
    "set_field",
    "value_placeholders",
    "wildcard_placeholders",
    "replace_string",
    "map_string",
    "set_state",
    "rule_failure",
    "detection_item_failure",
];

/// What pySigma has, too, and why we have not.
const REFUSED: [(&str, &str); 4] = [
    ("query_expression_placeholders", "it writes a query, and there are none: use `value_placeholders`"),
    ("file_placeholders", "use `value_placeholders`, or a file of placeholders"),
    ("http_placeholders", "compiling needs no network: use a file of placeholders"),
    ("command_placeholders", "compiling starts no programs: use a file of placeholders"),
];

/// What `add_condition` calls its search unless it has a name: no name of a rule has a blank in it.
const ADDED: &str = "added condition";

pub(super) fn transformation(from: &mut Parameters, report: &mut Report) -> Option<Transformation> {
    let (kind, at) = from.required("type", report)?;
    if !KNOWN.contains(&kind.as_str()) {
        let help = match REFUSED.iter().find(|(refused, _)| *refused == kind) {
            Some((_, why)) => (*why).to_owned(),
            None => suggest::closest(&kind, KNOWN.into_iter())
                .map_or_else(|| format!("there are {}", KNOWN.join(", ")), |found| format!("did you mean `{found}`?")),
        };
        report.error(codes::TRANSFORMATION, &at.span, format!("there is no transformation `{kind}` here"), help);
        return None;
    }
    from.rename(format!("`{kind}`"), &at.span);
    Some(match kind.as_str() {
        "field_name_mapping" => {
            let mapping = from.mapping("mapping", report)?.into_iter().collect();
            Transformation::Field(FieldTransformation::Mapping(mapping))
        }
        "field_name_prefix_mapping" => {
            Transformation::Field(FieldTransformation::Prefixes(from.mapping("mapping", report)?))
        }
        "field_name_prefix" => {
            Transformation::Field(FieldTransformation::AddPrefix(from.required("prefix", report)?.0))
        }
        "field_name_suffix" => {
            Transformation::Field(FieldTransformation::AddSuffix(from.required("suffix", report)?.0))
        }
        "drop_detection_item" => Transformation::DropItem,
        "add_condition" => add_condition(from, report)?,
        "change_logsource" => Transformation::ChangeLogsource(logsource(from, report)?),
        "add_field" => Transformation::AddFields(from.required_texts("field", report)?),
        "remove_field" => Transformation::RemoveFields(from.required_texts("field", report)?),
        "set_field" => Transformation::SetFields(from.required_texts("fields", report)?),
        "value_placeholders" => Transformation::Value(ValueTransformation::ValuePlaceholders(names(from, report)?)),
        "wildcard_placeholders" => {
            Transformation::Value(ValueTransformation::WildcardPlaceholders(names(from, report)?))
        }
        "replace_string" => replace(from, report)?,
        "map_string" => {
            let mapping = from.mapping("mapping", report)?.into_iter().collect();
            Transformation::Value(ValueTransformation::Map(mapping))
        }
        "set_state" => {
            let (key, value) = (from.required("key", report), from.required("val", report));
            Transformation::SetState { key: key?.0, value: value?.0 }
        }
        "rule_failure" => Transformation::RuleFailure(from.required("message", report)?.0),
        _ => Transformation::ItemFailure(from.required("message", report)?.0),
    })
}

fn add_condition(from: &mut Parameters, report: &mut Report) -> Option<Transformation> {
    let name = from.text("name", report).unwrap_or_else(|| ADDED.to_owned());
    let template = from.flag("template", report);
    let negated = from.flag("negated", report);
    let Some(node) = from.node("conditions") else {
        from.missing("conditions", report);
        return None;
    };
    if !matches!(node.data, Data::Mapping(_)) {
        from.wrong(node, "conditions", "a mapping of fields to values", report);
        return None;
    }
    let search = search::search(node, &node.extent(), report)?;
    Some(Transformation::AddCondition { name, search, template, negated })
}

fn names(from: &mut Parameters, report: &mut Report) -> Option<Names> {
    match (from.texts("include", report), from.texts("exclude", report)) {
        (None, None) => Some(Names::All),
        (Some(names), None) => Some(Names::Only(names)),
        (None, Some(names)) => Some(Names::AllBut(names)),
        (Some(_), Some(_)) => {
            let message = "`include` and `exclude` exclude each other";
            report.error(codes::PARAMETER, &from.span, message, "remove one of the two");
            None
        }
    }
}

fn replace(from: &mut Parameters, report: &mut Report) -> Option<Transformation> {
    let skip_special = from.flag("skip_special", report);
    if from.flag("interpret_special", report) {
        let span = from.node("interpret_special").map_or(from.span.clone(), Node::extent);
        let message = "`interpret_special` is not supported";
        report.error(
            codes::PARAMETER,
            &span,
            message,
            "leave `skip_special` out: then wildcards in what is replaced count",
        );
        return None;
    }
    let (regex, replacement) = (from.required("regex", report), from.required("replacement", report));
    let ((written, at), (replacement, replacement_at)) = (regex?, replacement?);
    let pattern = pattern(&written, at, report)?;
    match Replacement::new(&replacement, &pattern) {
        Ok(replacement) => {
            Some(Transformation::Value(ValueTransformation::Replace { pattern, replacement, skip_special }))
        }
        Err(reason) => {
            report.error(codes::REGEX, &replacement_at.span, reason, "write `\\\\` for a backslash, `\\1` for a group");
            None
        }
    }
}
