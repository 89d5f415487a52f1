//! A detection rule ("Sigma Rules Specification").

use super::{
    ast::Rule,
    codes,
    logsource::logsource,
    metadata::{metadata, name, taxonomy},
    report::Report,
    search,
    section::Section,
};
use crate::diagnostic::Span;

/// Reads what it can, so that everything that is wrong is said at once; `None` if a required part is missing.
pub(super) fn rule(document: &Section, span: Span, default_id: &str, report: &mut Report) -> Option<Rule> {
    let metadata = metadata(document, default_id, report);
    let logsource = logsource(document, report);
    let detection = document.under("detection", report).and_then(|section| search::detection(&section, &[], report));
    let fields = document.texts("fields", report).into_iter().map(|(field, _)| field).collect();
    let (logsource, logsource_span) = logsource?;
    let detection = detection?;
    if detection.searches.is_empty() {
        let help = "add one, such as `selection:` with fields and values below it";
        report.error(codes::EMPTY_SEARCH, &document.span, "the detection has no searches", help);
    }
    Some(Rule {
        metadata: metadata?,
        name: name(document, report),
        taxonomy: taxonomy(document, report),
        logsource,
        logsource_span,
        detection,
        fields,
        span,
    })
}
