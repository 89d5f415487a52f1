//! A [`Flow`]: the state of one detection, fed with rows, asked for groups that changed and for the final table.

use std::collections::HashSet;

use sandtrap_wit::{
    LogicalType,
    batch::Batch,
    plan::{AggregateFunction, NamedColumn, Node, Plan},
};

use crate::{
    Chain, FlowError, KernelError, Kernels, Limits, Overflow, Shape, Table,
    cell::{encode, read},
    groups::Groups,
    kernels::run_kernel,
    retained::{Retained, first_rows, gather},
    sort::sorted_rows,
};

/// The state of one detection.
///
/// The caller evaluates [`Chain::front`] for each batch of the source's rows and [pushes](Self::push) what it gives.
#[derive(Debug)]
pub struct Flow {
    chain: Chain,
    /// The columns of every node.
    columns: Vec<Vec<NamedColumn>>,
    state: State,
    limits: Limits,
    /// Rows of the last report, where changes are found by comparing reports, and how many there were.
    reported: HashSet<Vec<u8>>,
    reports: u64,
}

/// Groups that appeared or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// Their rows of the result.
    pub table: Table,
    /// For each row, how often its group was reported, this time included. Where groups are grouped again and a row has
    /// no group of its own to follow, how often the detection reported at all.
    pub revisions: Vec<u64>,
}

#[derive(Debug)]
enum State {
    /// The lowest node above the front is an aggregate: its groups.
    Groups(Groups),
    /// The rows that the front gave.
    Rows(Retained),
}

/// What evaluating the nodes above the state is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Report {
    /// The table at the end: every node.
    Final,
    /// Groups while streaming: order and number of rows mean nothing yet, so `sort` and `limit` are left out.
    Changes,
}

impl Flow {
    /// An empty state for a plan.
    pub fn new(plan: &Plan, limits: Limits) -> Result<Self, FlowError> {
        let chain = Chain::of(plan)?;
        let columns = plan.validate().map_err(|error| FlowError::new(error.to_string()))?;
        for (index, node) in &chain.above {
            check_order(*index, node, &columns)?;
        }
        let fed = columns.get(chain.feed as usize).map_or(&[][..], Vec::as_slice);
        let state = match chain.above.first() {
            Some((index, Node::Aggregate(aggregate))) => {
                let grouped = columns.get(*index as usize).map_or(&[][..], Vec::as_slice);
                State::Groups(Groups::new(aggregate, fed, grouped, limits))
            }
            _ => State::Rows(Retained::new(&chain.above, fed, limits)),
        };
        Ok(Self { chain, columns, state, limits, reported: HashSet::new(), reports: 0 })
    }

    /// The nodes it evaluates.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What kind of result it has.
    pub fn shape(&self) -> Shape {
        self.chain.shape
    }

    /// The columns of the rows to push: those of [`Chain::feed`].
    pub fn feed_columns(&self) -> &[NamedColumn] {
        self.columns_of(self.chain.feed)
    }

    /// The columns of the result.
    pub fn result_columns(&self) -> &[NamedColumn] {
        self.columns_of(self.chain.result())
    }

    fn columns_of(&self, node: u32) -> &[NamedColumn] {
        self.columns.get(node as usize).map_or(&[], Vec::as_slice)
    }

    /// Takes in rows of [`Chain::feed`].
    pub fn push(&mut self, rows: &Batch) {
        match &mut self.state {
            State::Groups(groups) => groups.push(rows),
            State::Rows(retained) => retained.push(rows),
        }
    }

    /// What did not fit so far.
    pub fn overflow(&self) -> Overflow {
        match &self.state {
            State::Groups(groups) => groups.overflow(),
            State::Rows(retained) => retained.overflow(),
        }
    }

    /// The groups that appeared or changed since the last call, as rows of the result; no rows unless the shape is
    /// [`Shape::Grouped`]. The caller decides how often that is worth asking. A group is reported once for each
    /// change even if a kernel fails on it: the failure is the answer to this report.
    pub fn changes<K: Kernels>(&mut self, kernels: &mut K) -> Result<Changes, KernelError<K::Error>> {
        if self.shape() != Shape::Grouped {
            return Ok(Changes { table: Table::empty(self.result_columns()), revisions: Vec::new() });
        }
        let regroups = self.chain.above.iter().skip(1).any(|(_, node)| matches!(node, Node::Aggregate(_)));
        let State::Groups(groups) = &mut self.state else { return self.differing_rows(kernels) };
        if regroups {
            return self.differing_rows(kernels);
        }
        let mut changed = groups.take_changed();
        let mut rows = groups.some(&changed);
        for (_, node) in self.chain.above.iter().skip(1) {
            if let Node::Kernel(kernel) = node {
                let picked = run_kernel(kernel, &rows, kernels)?;
                changed = picked.rows.iter().filter_map(|row| changed.get(*row as usize).copied()).collect();
                rows = picked.batch;
            }
        }
        let revisions = changed.into_iter().map(|group| groups.count_report(group)).collect();
        let table = Table { columns: self.result_columns().to_vec(), batch: rows, overflow: self.overflow() };
        Ok(Changes { table, revisions })
    }

    /// The table that the query prints for all rows so far.
    pub fn finish<K: Kernels>(&self, kernels: &mut K) -> Result<Table, KernelError<K::Error>> {
        self.evaluate_above(self.state_rows(), Report::Final, kernels)
    }

    fn state_rows(&self) -> Batch {
        match &self.state {
            State::Groups(groups) => groups.all(),
            State::Rows(retained) => retained.all(),
        }
    }

    fn evaluate_above<K: Kernels>(
        &self,
        mut rows: Batch,
        report: Report,
        kernels: &mut K,
    ) -> Result<Table, KernelError<K::Error>> {
        let mut overflow = self.overflow();
        let held = usize::from(matches!(self.state, State::Groups(_)));
        for (index, node) in self.chain.above.iter().skip(held) {
            let input = node.input().map_or(&[][..], |input| self.columns_of(input));
            rows = match node {
                Node::Kernel(kernel) => run_kernel(kernel, &rows, kernels)?.batch,
                Node::Aggregate(aggregate) => {
                    let mut groups = Groups::new(aggregate, input, self.columns_of(*index), self.limits);
                    groups.push(&rows);
                    overflow = overflow.plus(groups.overflow());
                    groups.all()
                }
                Node::Sort(sort) if report == Report::Final => gather(&rows, &sorted_rows(sort, input, &rows)),
                Node::Limit(limit) if report == Report::Final => {
                    first_rows(&rows, usize::try_from(limit.rows).unwrap_or(usize::MAX))
                }
                Node::Sort(_) | Node::Limit(_) | Node::Source(_) => rows,
            };
        }
        Ok(Table { columns: self.result_columns().to_vec(), batch: rows, overflow })
    }

    /// Where rows of the result cannot be told by a group of the state: the rows that the last report did not have.
    fn differing_rows<K: Kernels>(&mut self, kernels: &mut K) -> Result<Changes, KernelError<K::Error>> {
        let table = self.evaluate_above(self.state_rows(), Report::Changes, kernels)?;
        self.reports = self.reports.saturating_add(1);
        let table = self.without_reported(table);
        Ok(Changes { revisions: vec![self.reports; table.batch.rows], table })
    }

    /// The rows that the last report did not have; remembers this one.
    fn without_reported(&mut self, table: Table) -> Table {
        let keys: Vec<Vec<u8>> = (0..table.batch.rows).map(|row| row_key(&table, row)).collect();
        let fresh: Vec<u32> =
            (0_u32..).zip(&keys).filter(|(_, key)| !self.reported.contains(*key)).map(|(row, _)| row).collect();
        self.reported = keys.into_iter().collect();
        Table { batch: gather(&table.batch, &fresh), ..table }
    }
}

fn row_key(table: &Table, row: usize) -> Vec<u8> {
    let mut key = Vec::new();
    for (index, column) in (0_u32..).zip(&table.columns) {
        encode(read(&table.batch, index, row, column.ty), &mut key);
    }
    key
}

/// Dynamic values have no order in Kusto: <https://learn.microsoft.com/kusto/query/sort-operator> takes "numeric, date,
/// time or string" only.
fn check_order(index: u32, node: &Node, columns: &[Vec<NamedColumn>]) -> Result<(), FlowError> {
    let input = node.input().and_then(|input| columns.get(input as usize)).map_or(&[][..], Vec::as_slice);
    let refuse = |column: u32, what: &str| match input.get(column as usize) {
        Some(NamedColumn { name, ty: LogicalType::Dynamic, .. }) => Err(FlowError::new(format!(
            "plan node {index}: {what} of {name}, which is dynamic: dynamic values have no order; convert it first"
        ))),
        _ => Ok(()),
    };
    match node {
        Node::Sort(sort) => sort.by.iter().try_for_each(|key| refuse(key.column, "sort")),
        Node::Aggregate(aggregate) => aggregate.aggregates.iter().try_for_each(|aggregate| match aggregate.function {
            AggregateFunction::Min(column) => refuse(column, "min"),
            AggregateFunction::Max(column) => refuse(column, "max"),
            AggregateFunction::Count | AggregateFunction::MakeSet { .. } | AggregateFunction::Dcount(_) => Ok(()),
        }),
        Node::Source(_) | Node::Kernel(_) | Node::Limit(_) => Ok(()),
    }
}
