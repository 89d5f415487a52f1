//! From steps to a plan: asks every step only for the columns that a later one uses, and numbers what is left.
//!
//! Here the lookback leaves the first kernel's filter and the prefilter is derived from what stays. Nothing in here
//! can fail: the steps are the binder's own.

use std::collections::BTreeSet;

use sandtrap_wit::{
    LogicalType,
    plan::{self, Aggregate, AggregateColumn, AggregateFunction, GroupKey, KernelOutput, Lookback, OutputCells, Sort},
    plan::{Limit, Node, Plan, Source, SourceColumn},
    prefilter::Prefilter,
};

use super::{
    draft::{Column, Rows, Step, number},
    lookback,
};
use crate::{
    ir::{Expr, Input, Kernel, Program, walk},
    prefilter,
};

/// The columns of a step that a later one uses.
type Live = BTreeSet<u32>;

/// The program of a query's result, and the conditions that became its lookback.
pub(super) fn lower(mut rows: Rows) -> (Program, Vec<Expr>) {
    let table = rows.source_table();
    rows.close();
    let width = rows.columns().len();
    let mut steps = rows.steps;
    let mut taken = None;
    if let (Some(table), [Step::Source { columns, .. }, Step::Kernel { filter, .. }, ..]) =
        (table, steps.as_mut_slice())
    {
        let is_time = |column: u32| columns.get(column as usize).is_some_and(|(name, _)| table.is_time_column(name));
        taken = lookback::take(filter, is_time);
    }
    let (lookback, taken) = taken.unzip();
    let live = liveness(&steps, width, lookback.as_ref());
    let mut lowering = Lowering { nodes: Vec::new(), kernels: Vec::new(), columns: Vec::new() };
    for (step, live) in steps.into_iter().zip(&live) {
        lowering.step(step, live, lookback);
    }
    let program = Program { plan: Plan { nodes: lowering.nodes }, kernels: lowering.kernels };
    (program, taken.unwrap_or_default())
}

/// What is live after each step, from the last to the first.
fn liveness(steps: &[Step], width: usize, lookback: Option<&Lookback>) -> Vec<Live> {
    let mut live: Live = (0..number(width)).collect();
    let mut all = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        all.push(live.clone());
        live = needed(step, &live);
    }
    all.reverse();
    if let (Some(source), Some(lookback)) = (all.first_mut(), lookback) {
        source.insert(lookback.column);
    }
    all
}

/// What a step needs of the one before, to give what is live after it.
fn needed(step: &Step, live: &Live) -> Live {
    let mut needed = Live::new();
    match step {
        Step::Source { .. } => {}
        Step::Kernel { filter, columns } => {
            let used = kept(columns, live).map(|column| &column.expr);
            for expr in filter.iter().chain(used) {
                walk::inputs(expr, &mut |column| {
                    needed.insert(column);
                });
            }
        }
        Step::Aggregate { by, aggregates } => {
            needed.extend(by.iter().map(|(_, column)| *column));
            let used =
                aggregates.iter().enumerate().filter(|(index, _)| is_live(by.len().saturating_add(*index), live));
            needed.extend(used.filter_map(|(_, (_, function))| function.column()));
        }
        Step::Sort(keys) => {
            needed.extend(live);
            needed.extend(keys.iter().map(|key| key.column));
        }
        Step::Limit(_) => needed.extend(live),
    }
    needed
}

fn is_live(index: usize, live: &Live) -> bool {
    live.contains(&number(index))
}

fn kept<'a>(columns: &'a [Column], live: &'a Live) -> impl Iterator<Item = &'a Column> {
    columns.iter().enumerate().filter(|(index, _)| is_live(*index, live)).map(|(_, column)| column)
}

struct Lowering {
    nodes: Vec<Node>,
    kernels: Vec<Kernel>,
    /// The old numbers of the last node's columns, in the new order.
    columns: Vec<(u32, LogicalType)>,
}

impl Lowering {
    /// The new number of a column of the last node.
    fn renumbered(&self, column: u32) -> u32 {
        number(self.columns.iter().position(|(old, _)| *old == column).unwrap_or(usize::MAX))
    }

    /// The last node.
    fn last(&self) -> u32 {
        number(self.nodes.len().saturating_sub(1))
    }

    fn step(&mut self, step: Step, live: &Live, lookback: Option<Lookback>) {
        match step {
            Step::Source { rows, columns } => self.source(rows, columns, live, lookback),
            Step::Kernel { filter, columns } => self.kernel(filter, &columns, live),
            Step::Aggregate { by, aggregates } => self.aggregate(by, aggregates, live),
            Step::Sort(mut keys) => {
                for key in &mut keys {
                    key.column = self.renumbered(key.column);
                }
                self.nodes.push(Node::Sort(Sort { input: self.last(), by: keys }));
            }
            Step::Limit(rows) => self.nodes.push(Node::Limit(Limit { input: self.last(), rows })),
        }
    }

    fn source(
        &mut self,
        rows: plan::Rows,
        columns: Vec<(String, LogicalType)>,
        live: &Live,
        lookback: Option<Lookback>,
    ) {
        let inline = matches!(rows, plan::Rows::Inline(_));
        let mut wanted = Vec::new();
        for (index, (name, ty)) in columns.into_iter().enumerate() {
            // Inline rows keep all their cells.
            if inline || is_live(index, live) {
                self.columns.push((number(index), ty));
                wanted.push(SourceColumn { field: vec![name], ty, list: false });
            }
        }
        let lookback = lookback.map(|lookback| Lookback { column: self.renumbered(lookback.column), ..lookback });
        self.nodes.push(Node::Source(Source { rows, columns: wanted, prefilter: Prefilter::default(), lookback }));
    }

    fn kernel(&mut self, filter: Vec<Expr>, columns: &[Column], live: &Live) {
        let mut reads = Live::new();
        let computed = kept(columns, live).map(|column| &column.expr).filter(|expr| !is_input(expr));
        for expr in filter.iter().chain(computed) {
            walk::inputs(expr, &mut |column| {
                reads.insert(column);
            });
        }
        let reads: Vec<u32> = reads.into_iter().collect();
        let in_batch = |column: u32| number(reads.binary_search(&column).unwrap_or(usize::MAX));
        let mut filter = conjunction(filter);
        if let Some(filter) = &mut filter {
            walk::renumber(filter, &in_batch);
        }
        let inputs = reads.iter().filter_map(|old| self.columns.iter().find(|(column, _)| column == old));
        let inputs = inputs.map(|(_, ty)| Input { ty: *ty, list: false }).collect();
        let mut kernel = Kernel { inputs, filter, computed: Vec::new() };
        let mut outputs = Vec::new();
        let mut after = Vec::new();
        for (index, column) in columns.iter().enumerate().filter(|(index, _)| is_live(*index, live)) {
            let from = if let Expr::Input { column, .. } = &column.expr {
                OutputCells::Input(self.renumbered(*column))
            } else {
                let mut expr = column.expr.clone();
                walk::renumber(&mut expr, &in_batch);
                kernel.computed.push(expr);
                OutputCells::Computed(number(kernel.computed.len().saturating_sub(1)))
            };
            let ty = column.expr.ty();
            after.push((number(index), ty));
            outputs.push(KernelOutput { name: column.name.clone(), ty, from });
        }
        let reads: Vec<u32> = reads.iter().map(|column| self.renumbered(*column)).collect();
        if let ([Node::Source(source)], Some(filter)) = (self.nodes.as_mut_slice(), &kernel.filter)
            && matches!(source.rows, plan::Rows::Stream(_))
        {
            source.prefilter = prefilter::derive(filter, &kernel.inputs, &reads);
        }
        let kernel_number = number(self.kernels.len());
        self.nodes.push(Node::Kernel(plan::Kernel { input: self.last(), kernel: kernel_number, reads, outputs }));
        self.kernels.push(kernel);
        self.columns = after;
    }

    fn aggregate(&mut self, by: Vec<(String, u32)>, aggregates: Vec<(String, AggregateFunction)>, live: &Live) {
        let mut after = Vec::new();
        let type_of =
            |column: u32| self.columns.iter().find(|(old, _)| *old == column).map_or(LogicalType::Long, |(_, ty)| *ty);
        let mut node = Aggregate { input: self.last(), by: Vec::new(), aggregates: Vec::new() };
        let keys = by.len();
        for (index, (name, column)) in by.into_iter().enumerate() {
            after.push((number(index), type_of(column)));
            node.by.push(GroupKey { name, column: self.renumbered(column) });
        }
        for (index, (name, function)) in aggregates.into_iter().enumerate() {
            let index = keys.saturating_add(index);
            if !is_live(index, live) {
                continue;
            }
            after.push((number(index), aggregate_type(function, type_of)));
            node.aggregates.push(AggregateColumn { name, function: self.renumbered_function(function) });
        }
        self.nodes.push(Node::Aggregate(node));
        self.columns = after;
    }

    fn renumbered_function(&self, function: AggregateFunction) -> AggregateFunction {
        match function {
            AggregateFunction::Count => AggregateFunction::Count,
            AggregateFunction::Min(column) => AggregateFunction::Min(self.renumbered(column)),
            AggregateFunction::Max(column) => AggregateFunction::Max(self.renumbered(column)),
            AggregateFunction::Dcount(column) => AggregateFunction::Dcount(self.renumbered(column)),
            AggregateFunction::MakeSet { column, size } => {
                AggregateFunction::MakeSet { column: self.renumbered(column), size }
            }
        }
    }
}

/// The type of an aggregate over columns of these types.
pub(super) fn aggregate_type(function: AggregateFunction, type_of: impl Fn(u32) -> LogicalType) -> LogicalType {
    match function {
        AggregateFunction::Count | AggregateFunction::Dcount(_) => LogicalType::Long,
        AggregateFunction::Min(column) | AggregateFunction::Max(column) => type_of(column),
        AggregateFunction::MakeSet { .. } => LogicalType::Dynamic,
    }
}

fn is_input(expr: &Expr) -> bool {
    matches!(expr, Expr::Input { .. })
}

fn conjunction(mut conditions: Vec<Expr>) -> Option<Expr> {
    match conditions.len() {
        0 => None,
        1 => conditions.pop(),
        _ => Some(Expr::And(conditions)),
    }
}
