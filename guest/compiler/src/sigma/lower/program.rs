//! The plan and the kernel of a rule.

use std::collections::{BTreeSet, HashSet};

use sandtrap_wit::plan::{self, KernelOutput, Node, OutputCells, Plan, Rows, Source, SourceColumn};

use super::{
    codes,
    columns::{Columns, is_every_field},
    lowering::Lowering,
    placeholder::Placeholders,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Expr, Input, Kernel, Program, walk},
    prefilter,
    sigma::ast::Rule,
};

/// So many operators and searches one kernel may have: what is larger takes an engine too long to compile.
const KERNEL_NODES_MAX: usize = 1_536;
/// So many fields a rule may read and show.
const FIELDS_MAX: usize = 1_024;

/// What lowering a rule gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// The program, unless an error was found.
    pub program: Option<Program>,
    /// Spans are those of the syntax tree.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lowers a rule. `source` is the text that its spans are about.
///
/// The result's columns are the rule's `fields`, then those that its searches read, each once.
pub fn lower(rule: &Rule, source: &str, placeholders: &Placeholders) -> Lowered {
    let mut lowering = Lowering::new(source, placeholders, Columns::default());
    let program = lowering.detection(&rule.detection).and_then(|filter| lowering.program(rule, filter));
    Lowered { program, diagnostics: lowering.into_diagnostics() }
}

impl Lowering<'_> {
    fn program(&mut self, rule: &Rule, mut filter: Expr) -> Option<Program> {
        if !self.fits(&filter, &rule.span) {
            return None;
        }
        let asked = std::mem::take(&mut self.columns).into_columns();
        let read = columns_read(&filter);
        walk::renumber(&mut filter, &|column| place(&read, column));
        let read: Vec<SourceColumn> = read.iter().filter_map(|column| asked.get(*column as usize).cloned()).collect();
        let inputs: Vec<Input> = read.iter().map(|column| Input { ty: column.ty, list: column.list }).collect();
        let reads: Vec<u32> = (0..).take(read.len()).collect();
        let prefilter = prefilter::derive(&filter, &inputs, &reads);
        let mut columns = Columns::after(read);
        let outputs = outputs(rule, &mut columns);
        let columns = columns.into_columns();
        if columns.len() > FIELDS_MAX {
            let message = format!("the rule reads and shows {} fields, more than {FIELDS_MAX}", columns.len());
            self.report(Diagnostic::error(codes::LIMIT, rule.span.clone(), message).help("split the rule"));
            return None;
        }
        let rows = Rows::Stream(rule.logsource.to_string());
        let nodes = vec![
            Node::Source(Source { rows, columns, prefilter, lookback: None }),
            Node::Kernel(plan::Kernel { input: 0, kernel: 0, reads, outputs }),
        ];
        let kernels = vec![Kernel { inputs, filter: Some(filter), computed: Vec::new() }];
        Some(Program { plan: Plan { nodes }, kernels })
    }

    /// Whether a kernel's filter is not too large; else an error is reported.
    pub(super) fn fits(&mut self, filter: &Expr, span: &Span) -> bool {
        let nodes = walk::code_nodes(filter);
        if nodes <= KERNEL_NODES_MAX {
            return true;
        }
        let message = format!("the condition has {nodes} operators and searches, more than {KERNEL_NODES_MAX}");
        self.report(Diagnostic::error(codes::LIMIT, span.clone(), message).help("split the rule"));
        false
    }
}

/// The columns that a filter reads, ascending.
pub(super) fn columns_read(filter: &Expr) -> Vec<u32> {
    let mut read = BTreeSet::new();
    walk::inputs(filter, &mut |column| {
        read.insert(column);
    });
    read.into_iter().collect()
}

/// Where a column stands among those that are read.
pub(super) fn place(read: &[u32], column: u32) -> u32 {
    read.binary_search(&column).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}

/// What a verdict shows.
fn outputs(rule: &Rule, columns: &mut Columns) -> Vec<KernelOutput> {
    let mut shown: Vec<(String, u32)> =
        rule.fields.iter().map(|field| (field.clone(), columns.values(Some(field)))).collect();
    // A field that is read as a time only is shown as one.
    let all = columns.clone().into_columns();
    let of_searches = all.iter().zip(0..).filter(|(column, _)| !is_every_field(column));
    shown.extend(of_searches.map(|(column, at)| (column.field.concat(), at)));
    let mut seen = HashSet::new();
    shown.retain(|(name, _)| seen.insert(name.clone()));
    let output = |(name, at): (String, u32)| {
        let ty = all.get(at as usize)?.ty;
        Some(KernelOutput { name, ty, from: OutputCells::Input(at) })
    };
    shown.into_iter().filter_map(output).collect()
}
