//! Rows while a pipeline is bound: the steps that are done, and a kernel that still grows.
//!
//! `where`, `project` and `extend` only change the open kernel, so that a run of them becomes one. Every expression
//! in it speaks of the columns of the last step. Whatever else an operator needs closes it first.

use std::collections::BTreeSet;

use sandtrap_wit::{
    LogicalType,
    plan::{self, AggregateFunction, SortKey},
};

use crate::{
    ir::{Expr, walk},
    kql::tables::Table,
};

/// An open kernel whose computed columns are larger than this is closed before they are copied into others.
const FUSED_NODES_MAX: usize = 256;
/// Likewise, by depth.
const FUSED_DEPTH_MAX: usize = 64;

/// A column of an open kernel.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Its value, over the columns of the last step.
    pub(super) expr: Expr,
}

/// One step of a plan in the making. Each has the rows of the one before.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The first step: rows from outside, with all columns that there could be.
    Source {
        /// Where they come from.
        rows: plan::Rows,
        /// Their columns.
        columns: Vec<(String, LogicalType)>,
    },
    /// Picks rows and makes columns.
    Kernel {
        /// All must be true.
        filter: Vec<Expr>,
        /// The columns.
        columns: Vec<Column>,
    },
    /// Groups rows.
    Aggregate {
        /// Names and columns of the keys.
        by: Vec<(String, u32)>,
        /// Names and functions.
        aggregates: Vec<(String, AggregateFunction)>,
    },
    /// Sorts rows.
    Sort(Vec<SortKey>),
    /// Keeps the first rows.
    Limit(u64),
}

/// Rows while a pipeline is bound.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// What is done.
    pub(super) steps: Vec<Step>,
    /// The columns of the last step.
    input: Vec<(String, LogicalType)>,
    /// The open kernel's conditions.
    filter: Vec<Expr>,
    /// The open kernel's columns.
    columns: Vec<Column>,
    /// The table whose columns these are, as long as no operator has replaced them.
    pub(super) table: Option<&'static Table>,
    /// The table that the source reads.
    source_table: Option<&'static Table>,
}

/// A column number. Columns are bounded far below `u32`.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Rows {
    /// Rows from outside.
    pub(super) fn new(rows: plan::Rows, columns: Vec<(String, LogicalType)>, table: Option<&'static Table>) -> Self {
        let mut result = Self {
            steps: Vec::new(),
            input: Vec::new(),
            filter: Vec::new(),
            columns: Vec::new(),
            table,
            source_table: table,
        };
        result.push(Step::Source { rows, columns: columns.clone() }, columns);
        result
    }

    /// The table that the source reads.
    pub(super) fn source_table(&self) -> Option<&'static Table> {
        self.source_table
    }

    /// The column of that name.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The open kernel's columns.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns' names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Adds a condition.
    pub(super) fn filter(&mut self, condition: Expr) {
        match condition {
            Expr::And(conditions) => self.filter.extend(conditions),
            condition => self.filter.push(condition),
        }
    }

    /// Replaces the columns.
    pub(super) fn set_columns(&mut self, columns: Vec<Column>) {
        self.columns = columns;
    }

    /// Whether the open kernel only passes columns on, without a condition, so that whoever follows can take them
    /// from the last step. A detection has a kernel after a stream in any case.
    pub(super) fn passes_through(&self, exprs: &[Expr]) -> bool {
        self.filter.is_empty() && !self.is_stream() && exprs.iter().all(|expr| matches!(expr, Expr::Input { .. }))
    }

    /// Whether the open kernel is the one after the source.
    pub(super) fn is_first_kernel(&self) -> bool {
        self.steps.len() == 1
    }

    /// The columns of the last step that hold the event's time.
    pub(super) fn time_columns(&self) -> BTreeSet<u32> {
        let Some(table) = self.source_table else { return BTreeSet::new() };
        let times = self.input.iter().enumerate().filter(|(_, (name, _))| table.is_time_column(name));
        times.map(|(index, _)| number(index)).collect()
    }

    /// The nodes of the kernel that has most; the open one must be closed.
    pub(super) fn largest_kernel(&self) -> usize {
        let size = |step: &Step| match step {
            Step::Kernel { filter, columns } => {
                filter.iter().chain(columns.iter().map(|column| &column.expr)).map(walk::code_nodes).sum()
            }
            _ => 0,
        };
        self.steps.iter().map(size).max().unwrap_or(0)
    }

    fn is_stream(&self) -> bool {
        matches!(self.steps.as_slice(), [Step::Source { rows: plan::Rows::Stream(_), .. }])
    }

    fn is_identity(&self) -> bool {
        self.filter.is_empty()
            && self.input.len() == self.columns.len()
            && self.input.iter().zip(&self.columns).enumerate().all(|(index, ((name, _), column))| {
                *name == column.name && matches!(column.expr, Expr::Input { column, .. } if column == number(index))
            })
    }

    /// Makes the open kernel a step, unless it would do nothing.
    pub(super) fn close(&mut self) {
        if self.is_identity() && !self.is_stream() {
            return;
        }
        let columns = std::mem::take(&mut self.columns);
        let input = columns.iter().map(|column| (column.name.clone(), column.expr.ty())).collect();
        let filter = std::mem::take(&mut self.filter);
        self.push(Step::Kernel { filter, columns }, input);
    }

    /// Closes the open kernel if copying its columns would make large expressions.
    pub(super) fn close_if_large(&mut self) {
        let mut nodes = 0_usize;
        let mut depth = 0;
        for column in self.columns.iter().filter(|column| !matches!(column.expr, Expr::Input { .. })) {
            let weight = walk::weigh(&column.expr);
            nodes = nodes.saturating_add(weight.nodes);
            depth = depth.max(weight.depth);
        }
        if nodes > FUSED_NODES_MAX || depth > FUSED_DEPTH_MAX {
            self.close();
        }
    }

    /// Adds a step that gives these columns, and opens a kernel that passes them on.
    pub(super) fn push(&mut self, step: Step, columns: Vec<(String, LogicalType)>) {
        self.steps.push(step);
        self.columns = columns
            .iter()
            .enumerate()
            .map(|(index, (name, ty))| Column {
                name: name.clone(),
                expr: Expr::Input { column: number(index), ty: *ty },
            })
            .collect();
        self.input = columns;
    }

    /// Adds a step that keeps the columns of the last one; the open kernel must be closed.
    pub(super) fn push_same(&mut self, step: Step) {
        let columns = self.input.clone();
        self.push(step, columns);
    }
}
