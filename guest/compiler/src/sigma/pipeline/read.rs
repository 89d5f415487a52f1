//! From a pipeline's YAML to the pipeline.

use std::collections::BTreeMap;

use super::{
    codes,
    model::{Pipeline, ProcessingItem},
    parameters::{self, Parameters},
    read_condition::{field_conditions, item_conditions, rule_conditions},
    read_transformation::transformation,
};
use crate::{
    diagnostic::Diagnostic,
    rule::FILE_BYTES_MAX,
    sigma::parser::report::Report,
    yaml::{self, Data, Node},
};

/// Sections of pySigma's pipelines that change queries, which there are none of here.
const ABOUT_QUERIES: [&str; 2] = ["postprocessing", "finalizers"];

/// Reads a pipeline; there is none after an error.
pub(crate) fn parse(text: &str) -> (Option<Pipeline>, Vec<Diagnostic>) {
    let mut report = Report::new(text);
    let pipeline = if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; a pipeline may have {FILE_BYTES_MAX}", text.len());
        report.error(codes::NOT_A_PIPELINE, &(0..0), message, "split it");
        None
    } else {
        read(text, &mut report)
    };
    let pipeline = pipeline.filter(|_| report.errors() == 0);
    (pipeline, report.into_diagnostics())
}

fn read(text: &str, report: &mut Report) -> Option<Pipeline> {
    let stream = yaml::read(text);
    stream.diagnostics.into_iter().for_each(|found| report.push(found));
    let documents: Vec<&Node> = stream.documents.iter().flatten().filter(|document| !document.is_null()).collect();
    let &[document] = documents.as_slice() else {
        if report.errors() == 0 {
            let help = "write `transformations:` and a list of them";
            report.error(codes::NOT_A_PIPELINE, &(0..0), "a pipeline is one YAML document", help);
        }
        return None;
    };
    let mut pipeline = Parameters::of(document, "a pipeline", report)?;
    let name = pipeline.text("name", report).unwrap_or_default();
    let priority = if let Ok(priority) = pipeline.text_or_zero("priority", report).trim().parse() {
        priority
    } else {
        let span = pipeline.node("priority").map_or(0..0, |node| node.span.clone());
        report.error(codes::PARAMETER, &span, "`priority` must be a whole number", "pySigma's own are 0 to 50");
        0
    };
    let vars = vars(pipeline.node("vars"), report);
    // Which of pySigma's backends may use it.
    let _ = pipeline.node("allowed_backends");
    for section in ABOUT_QUERIES {
        if let Some(node) = pipeline.node(section).filter(|node| !node.is_null()) {
            let message = format!("`{section}` changes queries, and there are none: rules are compiled");
            report.warning(codes::QUERIES, &node.extent(), message, "leave it out");
        }
    }
    let mut items = Vec::new();
    match pipeline.node("transformations") {
        None => {}
        Some(node) => match &node.data {
            Data::List(nodes) => items.extend(nodes.iter().filter_map(|node| item(node, report))),
            _ if node.is_null() => {}
            _ => pipeline.wrong(node, "transformations", "a list", report),
        },
    }
    pipeline.finish(report);
    Some(Pipeline { name, priority, vars, items })
}

fn vars(node: Option<&Node>, report: &mut Report) -> BTreeMap<String, Vec<String>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return BTreeMap::new() };
    let Data::Mapping(entries) = &node.data else {
        report.error(codes::PARAMETER, &node.extent(), "`vars` must be a mapping of names to values", "correct it");
        return BTreeMap::new();
    };
    let mut vars = BTreeMap::new();
    for (key, value) in entries {
        if let (Some(name), Some(values)) = (key.scalar(), parameters::texts(value)) {
            vars.insert(name.to_owned(), values);
        } else {
            let message = "a variable has a name, and a text or a list of texts";
            report.error(codes::PARAMETER, &key.span, message, "write `name: value` or `name: [value, value]`");
        }
    }
    vars
}

fn item(node: &Node, report: &mut Report) -> Option<ProcessingItem> {
    let mut parameters = Parameters::of(node, "a transformation", report)?;
    let id = parameters.text("id", report);
    let rule = rule_conditions(&mut parameters, report);
    let item = item_conditions(&mut parameters, report);
    let field = field_conditions(&mut parameters, report);
    let transformation = transformation(&mut parameters, report)?;
    parameters.finish(report);
    Some(ProcessingItem { id, rule: rule?, item: item?, field: field?, transformation })
}
