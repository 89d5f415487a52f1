//! The binder, from KQL text to plans, kernels and diagnostics.

mod corpus;
mod errors;
mod plans;
mod seeds;
mod semantics;
mod show;

use sandtrap_compiler::{
    diagnostic::Diagnostic,
    ir::Program,
    kql::{self, BindOptions},
};

/// The program of a query that must bind, and what there was to say.
fn bind(query: &str) -> (Program, Vec<Diagnostic>) {
    let (program, diagnostics) = try_bind(query, BindOptions::default());
    let Some(program) = program else { panic!("{query}\ndoes not bind: {diagnostics:#?}") };
    if let Err(error) = program.plan.validate() {
        panic!("{query}\ngives a plan that is not valid: {error}\n{:#?}", program.plan);
    }
    (program, diagnostics)
}

/// What a query gives.
fn try_bind(query: &str, options: BindOptions) -> (Option<Program>, Vec<Diagnostic>) {
    let parsed = kql::parse(query);
    let mut diagnostics = parsed.diagnostics;
    if diagnostics.iter().any(Diagnostic::is_error) {
        return (None, diagnostics);
    }
    let Some(ast) = parsed.query else { panic!("{query}\ngives neither a query nor an error") };
    let bound = kql::bind(&ast, &options);
    diagnostics.extend(bound.diagnostics);
    (bound.program, diagnostics)
}

/// The plan of a query, as text.
fn plan(query: &str) -> String {
    show::program(&bind(query).0)
}

/// The filter of the first kernel of `DeviceNetworkEvents | where <condition>`, as text.
fn filter(condition: &str) -> String {
    let (program, _) = bind(&format!("DeviceNetworkEvents | where {condition}"));
    let kernel = program.kernels.first().expect("a detection has a kernel");
    let names = show::names(&program, 1);
    kernel.filter.as_ref().map_or_else(|| "none".into(), |filter| show::expr(filter, &names))
}

/// The value of `DeviceNetworkEvents | project x = <expression>`, as text.
fn value(expression: &str) -> String {
    let (program, _) = bind(&format!("DeviceNetworkEvents | project x = {expression}"));
    let kernel = program.kernels.first().expect("a detection has a kernel");
    let names = show::names(&program, 1);
    kernel.computed.first().map_or_else(|| "passed through".into(), |value| show::expr(value, &names))
}
