//! One mistake in YAML that is common enough to be understood:
//!
//! ```yaml
//! requiredDataConnectors:
//!     - connectorId: MicrosoftThreatProtection
//!     dataTypes:              # belongs to the list item above, so it should be two columns further right
//!         - DeviceNetworkEvents
//! ```
//!
//! The repair moves `- connectorId` two columns to the left, so that the file keeps its length and every other character
//! its place. Only exactly this is repaired.

use crate::diagnostic::Diagnostic;

/// What `- ` takes.
const MARKER_COLUMNS: usize = 2;

/// The text with the mistake put right, and a warning for each place; `None` where it was not made.
pub(super) fn data_types(text: &str) -> Option<(String, Vec<Diagnostic>)> {
    let mut repaired = String::with_capacity(text.len());
    let mut warnings = Vec::new();
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let at = repaired.len();
        let moved = lines.peek().and_then(|next| moved(line, next));
        let Some(moved) = moved else {
            repaired.push_str(line);
            continue;
        };
        repaired.push_str(&moved);
        let key = at + line.len() + indentation(line);
        let message = "`dataTypes` is indented like the list item that it belongs to";
        warnings.push(
            Diagnostic::warning("SEN0001", key..key + "dataTypes".len(), message)
                .label("read as part of the item above")
                .help("indent `dataTypes` like `connectorId`, two columns further right"),
        );
    }
    (!warnings.is_empty()).then_some((repaired, warnings))
}

/// The line two columns further left, if it is `- connectorId: X` and the next is `dataTypes:` in the same column.
fn moved(line: &str, next: &str) -> Option<String> {
    let indent = indentation(line);
    let content = line.get(indent..)?;
    let is_pair = content.starts_with("- connectorId:")
        && indent == indentation(next)
        && next.get(indent..)?.trim_end() == "dataTypes:";
    let left = indent.checked_sub(MARKER_COLUMNS).filter(|_| is_pair)?;
    let words = content.trim_end_matches(['\n', '\r']);
    let line_break = content.get(words.len()..)?;
    Some(format!("{:left$}{words}{:MARKER_COLUMNS$}{line_break}", "", ""))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_keeps_its_length_and_the_warning_points_at_the_key() {
        for line_break in ["\n", "\r\n"] {
            let wrong = "r:\n    - connectorId: X\n    dataTypes:\n        - T\nq: 1\n".replace('\n', line_break);
            let right = "r:\n  - connectorId: X  \n    dataTypes:\n        - T\nq: 1\n".replace('\n', line_break);
            let (repaired, warnings) = data_types(&wrong).expect("the mistake");
            assert_eq!(repaired, right);
            let spans: Vec<_> = warnings.iter().map(|warning| &wrong[warning.span.clone()]).collect();
            assert_eq!(spans, ["dataTypes"]);
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for text in [
            "",
            "r:\n  - connectorId: X\n    dataTypes:\n      - T\n",
            "r:\n- connectorId: X\ndataTypes:\n- T\n",
            "r:\n    - connectorId: X\n    dataType:\n",
            "r:\n    - connector: X\n    dataTypes:\n",
        ] {
            assert_eq!(data_types(text), None, "{text}");
        }
    }
}
