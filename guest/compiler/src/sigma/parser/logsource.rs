//! `logsource` ("LogSource"): which events a rule is about.

use sandtrap_wit::logsource::Logsource;

use super::{codes, report::Report, section::Section};
use crate::diagnostic::Span;

/// A document's logsource and where it stands.
pub(super) fn logsource(document: &Section, report: &mut Report) -> Option<(Logsource, Span)> {
    let section = document.under("logsource", report)?;
    let errors = report.errors();
    let [product, category, service] = ["product", "category", "service"].map(|key| part(&section, key, report));
    section.warn_of_others(&["product", "category", "service", "definition"], report);
    if report.errors() > errors {
        return None;
    }
    if product.is_none() && category.is_none() && service.is_none() {
        let help = "say at least one: `product: windows`, `category: process_creation`, `service: sysmon`";
        report.error(codes::LOGSOURCE, &section.span, "the logsource has no product, category or service", help);
        return None;
    }
    Some((Logsource::new(product.as_deref(), category.as_deref(), service.as_deref()), section.span))
}

/// A part must be able to stand in a stream's name, `product/category/service`, where `*` is what is left open.
fn part(section: &Section, key: &str, report: &mut Report) -> Option<String> {
    let (text, span) = section.text(key, report)?;
    if text.is_empty() || text == "*" || text.chars().any(|c| c == '/' || c.is_control()) {
        let help = "use letters, digits, `_`, `-` and `.`; leave the key out if any will do";
        report.error(codes::LOGSOURCE, &span, format!("`{text}` is no {key}"), help);
        return None;
    }
    Some(text)
}
