//! Puts a Sigma filter's condition on a program that is there already: that of a KQL rule.
//!
//! The filter's fields become columns of the program's source, and its condition joins that of the first kernel. What the
//! filter drops is dropped before anything is counted or sorted.

use sandtrap_wit::plan::{Node, Rows};

use super::{
    codes,
    columns::Columns,
    lowering::Lowering,
    placeholder::Placeholders,
    program::{columns_read, place},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, Input, Program, walk},
    prefilter,
    sigma::ast::{Detection, Filter},
};

/// Narrows a program by a filter; the program stays as it is after an error. `span` is where to point in the program's own
/// file.
pub fn narrow(program: &mut Program, filter: &Detection, placeholders: &Placeholders, span: &Span) -> Vec<Diagnostic> {
    let [Node::Source(source), Node::Kernel(node), ..] = program.plan.nodes.as_mut_slice() else {
        return vec![without_events(span)];
    };
    let Some(kernel) = program.kernels.get_mut(node.kernel as usize) else { return vec![without_events(span)] };
    if !matches!(source.rows, Rows::Stream(_)) {
        return vec![without_events(span)];
    }
    let mut lowering = Lowering::new("", placeholders, Columns::after(source.columns.clone()));
    let Some(mut condition) = lowering.detection(filter) else { return lowering.into_diagnostics() };
    // The kernel's own columns come first, so that its expressions stay as they are.
    let mut reads = node.reads.clone();
    reads.extend(columns_read(&condition).into_iter().filter(|column| !node.reads.contains(column)));
    let in_batch: Vec<(u32, u32)> = {
        let mut pairs: Vec<_> = reads.iter().copied().zip(0..).collect();
        pairs.sort_unstable();
        pairs
    };
    let columns: Vec<u32> = in_batch.iter().map(|(column, _)| *column).collect();
    walk::renumber(&mut condition, &|column| {
        in_batch.get(place(&columns, column) as usize).map_or(u32::MAX, |(_, at)| *at)
    });
    let filter = match kernel.filter.clone() {
        // One `and` for all filters: conditions must not become deeper with each.
        Some(Expr::And(mut own)) => {
            own.push(condition);
            Expr::And(own)
        }
        Some(own) => Expr::And(vec![own, condition]),
        None => condition,
    };
    if !lowering.fits(&filter, span) {
        return lowering.into_diagnostics();
    }
    source.columns = std::mem::take(&mut lowering.columns).into_columns();
    kernel.inputs = reads
        .iter()
        .filter_map(|column| source.columns.get(*column as usize))
        .map(|column| Input { ty: column.ty, list: column.list })
        .collect();
    source.prefilter = prefilter::derive(&filter, &kernel.inputs, &reads);
    kernel.filter = Some(filter);
    node.reads = reads;
    lowering.into_diagnostics()
}

/// A filter by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedFilter {
    /// What is wrong with its searches and condition, whatever rules it names.
    pub diagnostics: Vec<Diagnostic>,
    /// How many operators and searches it adds to a rule; 0 after an error.
    pub operators: usize,
}

/// Checks a filter by itself. `source` is the text that its spans are about.
pub fn check_filter(filter: &Filter, source: &str, placeholders: &Placeholders) -> CheckedFilter {
    let mut lowering = Lowering::new(source, placeholders, Columns::default());
    let condition = lowering.detection(&filter.detection).filter(|condition| lowering.fits(condition, &filter.span));
    let operators = condition.as_ref().map_or(0, walk::code_nodes);
    CheckedFilter { diagnostics: lowering.into_diagnostics(), operators }
}

fn without_events(span: &Span) -> Diagnostic {
    let message = "a filter names this rule, which reads no events that it could drop";
    Diagnostic::error(codes::FILTER, span.clone(), message).help("take the rule out of the filter's `rules`")
}
