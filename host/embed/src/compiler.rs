//! The compiler's face, for doors that must not depend on the compiler itself, and the forms between a rule's text and
//! its component as people read them.

use sandtrap_compiler::prefilter;
pub use sandtrap_compiler::{
    Compilation, FINGERPRINT, Options, Site, compile,
    diagnostic::{Diagnostic, Severity},
    lint,
};

/// The syntax tree; `None` where the query has syntax errors.
pub fn syntax_tree(compilation: &Compilation) -> Option<String> {
    compilation.syntax_tree().map(|tree| format!("{tree:#?}"))
}

/// The plan as JSON; `None` where the query has errors.
pub fn plan(compilation: &Compilation) -> Option<Result<String, String>> {
    let plan = &compilation.program()?.plan;
    Some(serde_json::to_string_pretty(plan).map_err(|error| error.to_string()))
}

/// Why nothing prunes the rule, so that every event of its stream is a candidate; `None` where something does, or where
/// there is no rule.
pub fn not_pruned(compilation: &Compilation) -> Option<String> {
    prefilter::not_pruned(compilation.program()?)
}

/// The text of the core module inside the component; `None` where there is no component.
pub fn wat(compilation: &Compilation) -> Option<Result<String, String>> {
    let module = compilation.readable_module()?;
    Some(module.map_err(|error| error.to_string()).and_then(|module| {
        wasmprinter::print_bytes(module).map_err(|error| format!("the module cannot be printed: {error:#}"))
    }))
}
