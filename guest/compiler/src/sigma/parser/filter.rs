//! A filter ("Sigma Filters Specification"): what narrows the rules that it names.

use super::{
    ast::{Filter, FilteredRules},
    codes,
    logsource::logsource,
    metadata::{check_remarks, id, taxonomy},
    report::Report,
    search,
    section::Section,
};
use crate::{diagnostic::Span, yaml::Data};

/// Reads what it can, so that everything that is wrong is said at once; `None` if a required part is missing.
pub(super) fn filter(document: &Section, span: Span, report: &mut Report) -> Option<Filter> {
    check_remarks(document, report);
    taxonomy(document, report);
    let title = document.required("title", report);
    let id = id(document, "id", report);
    let logsource = logsource(document, report);
    let section = document.under("filter", report)?;
    let rules = rules(&section, report);
    let detection = search::detection(&section, &["rules"], report);
    Some(Filter { title: title?.0, id, logsource: logsource?.0, rules: rules?, detection: detection?, span })
}

/// `rules`: a list of ids and names, one of them, or `any`.
fn rules(section: &Section, report: &mut Report) -> Option<FilteredRules> {
    let Some((at, node)) = section.find("rules") else {
        section.missing("rules", report);
        return None;
    };
    if node.scalar().is_some_and(|text| text.eq_ignore_ascii_case("any")) {
        return Some(FilteredRules::Any);
    }
    if matches!(&node.data, Data::List(items) if items.is_empty()) {
        let help = "name rules by their ids, or write `rules: any` for all of the logsource";
        report.error(codes::MISSING, &at.span, "`rules` is empty", help);
        return None;
    }
    Some(FilteredRules::Named(section.texts("rules", report)))
}
