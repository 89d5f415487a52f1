//! The compiler's diagnostics, shown in the rule's text: on standard error, with colour only on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use sandtrap_embed::{
    compiler::{Diagnostic, Severity},
    rules::{Refusal, Refused, Remarks},
};

/// Shows each diagnostic of a rule.
pub(crate) fn show(remarks: &Remarks) {
    for diagnostic in &remarks.diagnostics {
        eprint_line(&render(remarks, diagnostic, &renderer()));
    }
}

/// Shows why a rule cannot run.
pub(crate) fn show_refused(refused: &Refused) {
    match &refused.reason {
        Refusal::Source(remarks) => show(remarks),
        Refusal::Other(reason) => error(&format!("{}: {reason}", refused.file.display())),
    }
}

/// Shows a remark that has no place in a text.
pub(crate) fn note(message: &str) {
    eprint_line(&renderer().render(&[Group::with_title(Level::NOTE.primary_title(clean(message)))]));
}

/// Shows an error that has no place in a text.
pub(crate) fn error(message: &str) {
    eprint_line(&renderer().render(&[Group::with_title(Level::ERROR.primary_title(clean(message)))]));
}

fn eprint_line(text: &str) {
    // Nobody reads standard error: there is nowhere left to say so.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// <https://no-color.org>: any value that is not empty turns colour off.
fn renderer() -> Renderer {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if colour { Renderer::styled() } else { Renderer::plain() }
}

fn render(remarks: &Remarks, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let span = within(&remarks.text, diagnostic.span.clone());
    let mut mark = AnnotationKind::Primary.span(span);
    if !diagnostic.label.is_empty() {
        mark = mark.label(clean(&diagnostic.label));
    }
    let path = clean(&remarks.file.to_string_lossy());
    let snippet = Snippet::source(remarks.text.as_str()).path(path).annotation(mark);
    let mut group = level.primary_title(clean(&diagnostic.message)).id(diagnostic.code).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    renderer.render(&[group])
}

/// The span, moved to where the text has characters: it comes with a rule, and a snippet outside of the text would be
/// a panic.
fn within(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len()).max(start));
    start..end
}

/// Without control characters, which could drive the terminal: messages quote rules and file names.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, diagnostic: &Diagnostic) -> String {
        let remarks = Remarks { file: "hunt.kql".into(), text: text.into(), diagnostics: Vec::new() };
        render(&remarks, diagnostic, &Renderer::plain())
    }

    #[test]
    fn a_diagnostic_shows_file_line_caret_code_and_help() {
        let text = "// Krämer\nDeviceNetworkEvents\n| where RemotPort == 443\n";
        let at = text.find("RemotPort").expect("it is there");
        let diagnostic = Diagnostic::warning("KQL0201", at..at + 9, "no column RemotPort in DeviceNetworkEvents")
            .label("not a column")
            .help("did you mean RemotePort?");
        let shown = rendered(text, &diagnostic);
        for part in [
            "warning[KQL0201]: no column RemotPort in DeviceNetworkEvents",
            "hunt.kql:3:9",
            "^^^^^^^^^ not a column",
            "help: did you mean RemotePort?",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
    }

    #[test]
    fn a_span_outside_of_the_text_or_inside_a_character_is_moved() {
        for span in [0..0, 7..7, 100..200, 1..2, 4..5] {
            let shown = rendered("Krämer", &Diagnostic::error("KQL0001", span.clone(), "odd"));
            assert!(shown.contains("error[KQL0001]: odd"), "{span:?}: {shown}");
        }
        assert!(rendered("", &Diagnostic::error("KQL0001", 0..1, "empty")).contains("empty"));
    }

    #[test]
    fn a_rule_cannot_drive_the_terminal() {
        let shown = rendered("x\u{1b}[31m", &Diagnostic::error("KQL0001", 0..1, "bad name \u{1b}]0;title\u{7}"));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    }
}
