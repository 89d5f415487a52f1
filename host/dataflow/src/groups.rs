//! `aggregate`: rows into groups.
//!
//! Groups are in order of first appearance, so that the same events give the same table.

use std::{collections::HashMap, sync::Arc};

use sandtrap_wit::{
    LogicalType,
    batch::{Batch, Cell, ColumnBuilder},
    plan::{Aggregate, NamedColumn},
};

use crate::{
    Limits, Overflow,
    accumulator::Accumulator,
    budget::{Budget, ENTRY_BYTES},
    cell::{decode, encode, read},
};

/// The groups of one aggregate node.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    node: Aggregate,
    /// The columns of the result: the keys, then the aggregates.
    columns: Vec<NamedColumn>,
    /// The type of each group key, then of the column that each aggregate reads.
    key_types: Vec<LogicalType>,
    read_types: Vec<LogicalType>,
    index: HashMap<Arc<[u8]>, usize>,
    entries: Vec<Group>,
    /// Groups that appeared or changed since [`Self::take_changed`].
    changed: Vec<usize>,
    budget: Budget,
}

#[derive(Clone, Debug)]
struct Group {
    key: Arc<[u8]>,
    accumulators: Vec<Accumulator>,
    changed: bool,
    /// How often it was reported while streaming.
    reports: u64,
}

/// Whether a group had rows before this one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    First,
    Before,
}

impl Groups {
    /// For rows of the columns `input`; `columns` are the node's own.
    pub(crate) fn new(node: &Aggregate, input: &[NamedColumn], columns: &[NamedColumn], limits: Limits) -> Self {
        let type_of = |column: u32| input.get(column as usize).map_or(LogicalType::Dynamic, |column| column.ty);
        let mut groups = Self {
            key_types: node.by.iter().map(|key| type_of(key.column)).collect(),
            read_types: node
                .aggregates
                .iter()
                .map(|aggregate| aggregate.function.column().map_or(LogicalType::Long, type_of))
                .collect(),
            node: node.clone(),
            columns: columns.to_vec(),
            index: HashMap::new(),
            entries: Vec::new(),
            changed: Vec::new(),
            budget: Budget::new(limits),
        };
        if node.by.is_empty() {
            // Without keys there is one row even of no input.
            groups.insert(&[]);
        }
        groups
    }

    pub(crate) fn push(&mut self, batch: &Batch) {
        let mut key = Vec::new();
        for row in 0..batch.rows {
            key.clear();
            for (by, ty) in self.node.by.iter().zip(&self.key_types) {
                encode(read(batch, by.column, row, *ty), &mut key);
            }
            match self.index.get(key.as_slice()) {
                Some(group) => self.add(*group, batch, row, Seen::Before),
                None => match self.insert_within_limits(&key) {
                    Some(group) => self.add(group, batch, row, Seen::First),
                    None => self.budget.miss_rows(1),
                },
            }
        }
    }

    fn insert_within_limits(&mut self, key: &[u8]) -> Option<usize> {
        let bytes = self.node.aggregates.len().saturating_add(2).saturating_mul(ENTRY_BYTES).saturating_add(key.len());
        (self.entries.len() < self.budget.limits.groups_max && self.budget.take(bytes)).then(|| self.insert(key))
    }

    fn insert(&mut self, key: &[u8]) -> usize {
        let key: Arc<[u8]> = key.into();
        let accumulators = self.node.aggregates.iter().map(|aggregate| Accumulator::new(aggregate.function)).collect();
        self.index.insert(Arc::clone(&key), self.entries.len());
        self.entries.push(Group { key, accumulators, changed: false, reports: 0 });
        self.entries.len().saturating_sub(1)
    }

    fn add(&mut self, index: usize, batch: &Batch, row: usize, seen: Seen) {
        let Some(group) = self.entries.get_mut(index) else { return };
        let mut changed = seen == Seen::First;
        let columns = self.node.aggregates.iter().zip(&self.read_types);
        for (accumulator, (aggregate, ty)) in group.accumulators.iter_mut().zip(columns) {
            let cell = aggregate.function.column().map_or(Cell::Null, |column| read(batch, column, row, *ty));
            changed |= accumulator.add(cell, *ty, &mut self.budget);
        }
        if changed && !group.changed {
            group.changed = true;
            self.changed.push(index);
        }
    }

    /// The groups that appeared or changed since the last call, in order of first appearance.
    pub(crate) fn take_changed(&mut self) -> Vec<usize> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        for index in &changed {
            if let Some(group) = self.entries.get_mut(*index) {
                group.changed = false;
            }
        }
        changed
    }

    /// Counts a report of this group, and says how many there were.
    pub(crate) fn count_report(&mut self, group: usize) -> u64 {
        self.entries.get_mut(group).map_or(0, |group| {
            group.reports = group.reports.saturating_add(1);
            group.reports
        })
    }

    /// The rows of all groups.
    pub(crate) fn all(&self) -> Batch {
        rows(self.entries.iter(), &self.columns)
    }

    /// The rows of these groups.
    pub(crate) fn some(&self, groups: &[usize]) -> Batch {
        rows(groups.iter().filter_map(|index| self.entries.get(*index)), &self.columns)
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.budget.overflow
    }
}

fn rows<'a>(groups: impl Iterator<Item = &'a Group>, columns: &[NamedColumn]) -> Batch {
    let mut builders: Vec<ColumnBuilder> = columns.iter().map(|column| ColumnBuilder::of(column.ty)).collect();
    let mut rows = 0;
    for group in groups {
        let keys = columns.len().saturating_sub(group.accumulators.len());
        let (key_builders, aggregate_builders) = builders.split_at_mut(keys);
        for (builder, cell) in key_builders.iter_mut().zip(decode(&group.key)) {
            builder.push(cell);
        }
        for (builder, accumulator) in aggregate_builders.iter_mut().zip(&group.accumulators) {
            accumulator.push_to(builder);
        }
        rows += 1;
    }
    Batch { rows, columns: builders.into_iter().map(|builder| Arc::new(builder.finish())).collect() }
}
