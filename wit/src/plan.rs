//! The plan: what the host does around a detection's kernels.
//!
//! A plan is a flat list of nodes; each names its input by the index of an earlier node, and the last node is the
//! detection's result. A detection without state is `source -> kernel`. A node gives rows of typed, named columns;
//! [`Plan::validate`] says which, and that every index in the plan is in range and of a fitting type, so that whoever
//! runs a validated plan need not check again.
//!
//! Names of computed rows are unique, as Kusto makes them. The columns of a [`Source`] need not be: one field may be
//! wanted as several types.

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{LogicalType, prefilter::Prefilter};

/// How a detection is evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In order of evaluation; the last one is the result.
    pub nodes: Vec<Node>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Node {
    /// Rows from outside.
    Source(Source),
    /// Rows that a kernel of the component picks and computes.
    Kernel(Kernel),
    /// One row for each group of rows.
    Aggregate(Aggregate),
    /// The same rows in another order.
    Sort(Sort),
    /// The first so many rows.
    Limit(Limit),
}

/// A named, typed column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedColumn {
    /// Its name.
    pub name: String,
    /// Its type; of the elements where it is a list.
    #[serde(rename = "type")]
    pub ty: LogicalType,
    /// Whether its cells are lists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
}

/// Rows from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Where the rows come from.
    pub rows: Rows,
    /// The columns that the detection wants.
    pub columns: Vec<SourceColumn>,
    /// A condition that every row has that the detection can match; see [`Prefilter`].
    #[serde(default, skip_serializing_if = "Prefilter::is_always")]
    pub prefilter: Prefilter,
    /// How far back the detection looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<Lookback>,
}

/// Where the rows of a [`Source`] come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// An event stream: a table such as `DeviceNetworkEvents`, or a Sigma logsource.
    Stream(String),
    /// Rows written into the detection itself (KQL `print`, `datatable`, `range`), evaluated once per run. Cells are
    /// JSON of the column's physical type: datetime and timespan as integers, dynamic and guid as strings.
    Inline(Vec<Vec<serde_json::Value>>),
}

/// One column that a [`Source`] wants. Its identity is (stream, field, type): the same field may be wanted as text
/// and as a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceColumn {
    /// The logical field of the stream, as path segments: `["RemoteUrl"]`.
    pub field: Vec<String>,
    /// The type to deliver.
    #[serde(rename = "type")]
    pub ty: LogicalType,
    /// Whether all values of the field are wanted, as a list: Sigma matches any element. Without it a JSON array is one
    /// value. Only text comes as lists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
}

/// How far back a detection looks. The host applies it, so that files of old events can be searched as if they were
/// fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookback {
    /// The datetime column of the source that is compared.
    pub column: u32,
    /// The older end.
    pub from: Bound,
    /// The newer end; without one there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Bound>,
}

/// One end of a [`Lookback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Ticks of 100 ns before `now`.
    pub ago: i64,
    /// Whether a row exactly there is inside.
    pub inclusive: bool,
}

/// Rows that a kernel picks from its input, and columns that it computes for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// The node whose rows it gets.
    pub input: u32,
    /// The number to call `evaluate` with.
    pub kernel: u32,
    /// The columns of the input that make up the batch, in its order.
    pub reads: Vec<u32>,
    /// The columns of the result.
    pub outputs: Vec<KernelOutput>,
}

/// One column of a [`Kernel`]'s result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelOutput {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: LogicalType,
    /// Where its cells come from.
    pub from: OutputCells,
}

/// Where the cells of a [`KernelOutput`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputCells {
    /// This column of the input node, unchanged; the host takes it from there.
    Input(u32),
    /// This column of `matches.columns`.
    Computed(u32),
}

/// One row for each group of rows with equal keys; without keys one row in all, even of no input. The result has
/// the keys, then the aggregates. Aggregates skip cells without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// The node whose rows it gets.
    pub input: u32,
    /// Group keys. Null is a key like any other.
    pub by: Vec<GroupKey>,
    /// What to compute for each group.
    pub aggregates: Vec<AggregateColumn>,
}

/// One group key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupKey {
    /// Its name in the result.
    pub name: String,
    /// The column of the input.
    pub column: u32,
}

/// One aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregateColumn {
    /// Its name in the result.
    pub name: String,
    /// What to compute.
    pub function: AggregateFunction,
}

/// An aggregation function, by Kusto's name; the number is the column of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFunction {
    /// How many rows: `long`.
    Count,
    /// The least value, null of none; the column's type.
    Min(u32),
    /// The greatest value, null of none; the column's type.
    Max(u32),
    /// The distinct values in order of first appearance, as a dynamic array of at most [`MAKE_SET_SIZE`], which
    /// is the limit that Kusto documents. The elements of a dynamic array are added one by one.
    MakeSet {
        /// The column of the input.
        column: u32,
        /// At most so many elements.
        size: u32,
    },
    /// How many distinct values: `long`. Exact, where Kusto estimates.
    Dcount(u32),
}

/// How many elements `make_set` keeps when the query does not say.
pub const MAKE_SET_SIZE: u32 = 1_048_576;

impl AggregateFunction {
    /// The column of the input that is aggregated.
    pub fn column(self) -> Option<u32> {
        match self {
            Self::Count => None,
            Self::Min(column) | Self::Max(column) | Self::Dcount(column) | Self::MakeSet { column, .. } => Some(column),
        }
    }
}

/// The same rows in another order. The sort is stable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sort {
    /// The node whose rows it gets.
    pub input: u32,
    /// The first key counts most.
    pub by: Vec<SortKey>,
}

/// One sort key. Text sorts by its UTF-8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// The column of the input.
    pub column: u32,
    /// Which end comes first.
    pub order: Order,
    /// Where rows without a value go.
    pub nulls: Nulls,
}

/// Which end of a sort comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The least value.
    Asc,
    /// The greatest value.
    Desc,
}

/// Where a sort puts rows without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nulls {
    /// Before all others.
    First,
    /// After all others.
    Last,
}

/// The first so many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The node whose rows it gets.
    pub input: u32,
    /// At most so many.
    pub rows: u64,
}

/// Why a plan is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    node: usize,
    reason: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan node {}: {}", self.node, self.reason)
    }
}

impl std::error::Error for PlanError {}

impl Node {
    /// The node whose rows it gets; a source has none.
    pub fn input(&self) -> Option<u32> {
        match self {
            Self::Source(_) => None,
            Self::Kernel(Kernel { input, .. })
            | Self::Aggregate(Aggregate { input, .. })
            | Self::Sort(Sort { input, .. })
            | Self::Limit(Limit { input, .. }) => Some(*input),
        }
    }

    /// The name of the kind, as a manifest writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::Kernel(_) => "kernel",
            Self::Aggregate(_) => "aggregate",
            Self::Sort(_) => "sort",
            Self::Limit(_) => "limit",
        }
    }
}

impl Plan {
    /// The columns of every node's rows, or the first thing that is wrong with the plan.
    pub fn validate(&self) -> Result<Vec<Vec<NamedColumn>>, PlanError> {
        let mut known: Vec<Vec<NamedColumn>> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let columns = columns_of(node, &known).map_err(|reason| PlanError { node: index, reason })?;
            known.push(columns);
        }
        let Some(result) = known.last() else {
            return Err(PlanError { node: 0, reason: "a plan needs at least one node".into() });
        };
        unique(result).map_err(|reason| PlanError { node: known.len().saturating_sub(1), reason })?;
        Ok(known)
    }
}

fn columns_of(node: &Node, known: &[Vec<NamedColumn>]) -> Result<Vec<NamedColumn>, String> {
    let input: &[NamedColumn] = match node.input() {
        None => &[],
        Some(input) => known.get(input as usize).ok_or_else(|| format!("input {input} is not an earlier node"))?,
    };
    let column = |index: u32| {
        input
            .get(index as usize)
            .ok_or_else(|| format!("column {index} is out of range: the input has {}", input.len()))
    };
    // What is compared or counted needs one value in each row.
    let plain = |what: &str, index: u32| match column(index)? {
        NamedColumn { name, ty, list: true } => Err(format!("{what} {name}, which is a list of {ty}")),
        named => Ok(named),
    };
    match node {
        Node::Source(source) => columns_of_source(source),
        Node::Kernel(kernel) => {
            for read in &kernel.reads {
                column(*read)?;
            }
            let mut computed = 0;
            let mut columns = Vec::with_capacity(kernel.outputs.len());
            for output in &kernel.outputs {
                match output.from {
                    OutputCells::Input(index) if column(index)?.ty != output.ty => {
                        return Err(format!("output {} does not have the type of its input column", output.name));
                    }
                    OutputCells::Computed(index) if index != computed => {
                        return Err(format!("output {}: computed columns are numbered in order", output.name));
                    }
                    OutputCells::Computed(_) => computed += 1,
                    OutputCells::Input(_) => {}
                }
                let list = match output.from {
                    OutputCells::Input(index) => column(index)?.list,
                    OutputCells::Computed(_) => false,
                };
                columns.push(NamedColumn { name: output.name.clone(), ty: output.ty, list });
            }
            unique(&columns)?;
            Ok(columns)
        }
        Node::Aggregate(aggregate) => {
            let mut columns = Vec::with_capacity(aggregate.by.len() + aggregate.aggregates.len());
            for key in &aggregate.by {
                columns.push(NamedColumn {
                    name: key.name.clone(),
                    ty: plain("group by", key.column)?.ty,
                    list: false,
                });
            }
            for aggregate in &aggregate.aggregates {
                let ty = match aggregate.function {
                    AggregateFunction::Count => LogicalType::Long,
                    AggregateFunction::Min(index) => plain("min of", index)?.ty,
                    AggregateFunction::Max(index) => plain("max of", index)?.ty,
                    AggregateFunction::MakeSet { column: index, .. } => {
                        plain("make_set of", index)?;
                        LogicalType::Dynamic
                    }
                    AggregateFunction::Dcount(index) => {
                        plain("dcount of", index)?;
                        LogicalType::Long
                    }
                };
                columns.push(NamedColumn { name: aggregate.name.clone(), ty, list: false });
            }
            unique(&columns)?;
            Ok(columns)
        }
        Node::Sort(sort) => {
            for key in &sort.by {
                plain("sort by", key.column)?;
            }
            Ok(input.to_vec())
        }
        Node::Limit(_) => Ok(input.to_vec()),
    }
}

fn unique(columns: &[NamedColumn]) -> Result<(), String> {
    let mut seen = HashSet::with_capacity(columns.len());
    match columns.iter().find(|column| !seen.insert(column.name.as_str())) {
        None => Ok(()),
        Some(twice) => Err(format!("two columns of the result are called {:?}", twice.name)),
    }
}

fn columns_of_source(source: &Source) -> Result<Vec<NamedColumn>, String> {
    let named = |column: &SourceColumn| NamedColumn { name: column.field.join("."), ty: column.ty, list: column.list };
    let columns: Vec<NamedColumn> = source.columns.iter().map(named).collect();
    if let Some(column) = columns.iter().find(|column| column.list && column.ty != LogicalType::String) {
        return Err(format!("column {}: only text comes as lists, not {}", column.name, column.ty));
    }
    if let Some(lookback) = &source.lookback {
        let ty = columns.get(lookback.column as usize).map(|column| column.ty);
        if ty != Some(LogicalType::Datetime) {
            return Err("the lookback needs a datetime column of the source".into());
        }
    }
    source.prefilter.validate(&columns)?;
    if let (Rows::Inline(_), Some(column)) = (&source.rows, columns.iter().find(|column| column.list)) {
        return Err(format!("column {}: inline rows have no lists", column.name));
    }
    if let Rows::Inline(rows) = &source.rows
        && let Some(row) = rows.iter().find(|row| row.len() != columns.len())
    {
        return Err(format!("an inline row has {} cells for {} columns", row.len(), columns.len()));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn validated(nodes: &serde_json::Value) -> Result<Vec<String>, String> {
        let plan: Plan = serde_json::from_value(json!({ "nodes": nodes })).map_err(|error| error.to_string())?;
        let columns = plan.validate().map_err(|error| error.to_string())?;
        Ok(columns.last().into_iter().flatten().map(|column| format!("{}:{}", column.name, column.ty)).collect())
    }

    #[test]
    fn a_plan_is_sound_or_its_first_mistake_is_said() {
        let source = json!({"source": {"rows": {"stream": "T"}, "columns": [
            {"field": ["A"], "type": "string"}, {"field": ["A"], "type": "long"}, {"field": ["T"], "type": "datetime"},
        ]}});
        let kernel = |outputs| json!({"kernel": {"input": 0, "kernel": 0, "reads": [0, 1], "outputs": outputs}});
        let passed = |name| json!({"name": name, "type": "string", "from": {"input": 0}});
        let computed = |name, at| json!({"name": name, "type": "long", "from": {"computed": at}});
        let aggregate = |key, name| {
            let count = json!({"name": name, "function": "count"});
            json!({"aggregate": {"input": 0, "by": [{"name": key, "column": 0}], "aggregates": [count]}})
        };
        for (nodes, expected) in [
            (json!([source, kernel(json!([passed("A"), computed("B", 0)]))]), Ok(&["A:string", "B:long"][..])),
            (json!([source, aggregate("A", "count_")]), Ok(&["A:string", "count_:long"])),
            (json!([]), Err("plan node 0: a plan needs at least one node")),
            (json!([source]), Err("plan node 0: two columns of the result are called \"A\"")),
            (
                json!([source, {"limit": {"input": 0, "rows": 1}}]),
                Err("plan node 1: two columns of the result are called \"A\""),
            ),
            (
                json!([source, kernel(json!([passed("A"), computed("A", 0)])), {"limit": {"input": 1, "rows": 1}}]),
                Err("plan node 1: two columns of the result are called \"A\""),
            ),
            (json!([source, aggregate("A", "A")]), Err("plan node 1: two columns of the result are called \"A\"")),
            (json!([source, kernel(json!([computed("B", 1)]))]), Err("plan node 1: output B: computed columns are")),
            (json!([{"limit": {"input": 0, "rows": 1}}]), Err("plan node 0: input 0 is not an earlier node")),
            (json!([{"join": {}}]), Err("unknown variant `join`")),
        ] {
            match (validated(&nodes), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{nodes}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}, expected {expected}"),
                (found, expected) => panic!("{nodes}: found {found:?}, expected {expected:?}"),
            }
        }
    }
    #[test]
    fn lists_are_read_and_passed_on_and_nothing_else() {
        let of = |rows: serde_json::Value, ty: &str| {
            let list = json!({"field": ["H"], "type": ty, "list": true});
            json!({"source": {"rows": rows, "columns": [list, {"field": ["T"], "type": "datetime"}]}})
        };
        let stream = of(json!({"stream": "S"}), "string");
        let mut looking_back = stream.clone();
        looking_back["source"]["lookback"] = json!({"column": 0, "from": {"ago": 1, "inclusive": true}});
        let outputs = json!([{"name": "H", "type": "string", "from": {"input": 0}}]);
        let kernel = json!({"kernel": {"input": 0, "kernel": 0, "reads": [0], "outputs": outputs}});
        let sort = |input, column| json!({"sort": {"input": input, "by": [{"column": column, "order": "asc", "nulls": "first"}]}});
        let by = json!({"aggregate": {"input": 0, "by": [{"name": "K", "column": 0}], "aggregates": []}});
        let computing = |function: serde_json::Value| {
            let aggregates = json!([{"name": "A", "function": function}]);
            json!({"aggregate": {"input": 0, "by": [], "aggregates": aggregates}})
        };
        for (nodes, expected) in [
            (json!([stream, kernel]), Ok(&["H:string"][..])),
            (json!([stream, sort(0, 1), {"limit": {"input": 1, "rows": 1}}]), Ok(&["H:string", "T:datetime"])),
            (json!([stream, sort(0, 0)]), Err("plan node 1: sort by H, which is a list of string")),
            (json!([stream, kernel, sort(1, 0)]), Err("plan node 2: sort by H, which is a list of string")),
            (json!([stream, by]), Err("plan node 1: group by H, which is a list of string")),
            (json!([stream, computing(json!({"min": 0}))]), Err("plan node 1: min of H, which is a list")),
            (json!([stream, computing(json!({"max": 0}))]), Err("plan node 1: max of H, which is a list")),
            (json!([stream, computing(json!({"dcount": 0}))]), Err("plan node 1: dcount of H, which is a list")),
            (
                json!([stream, computing(json!({"make_set": {"column": 0, "size": 9}}))]),
                Err("plan node 1: make_set of H, which is a list"),
            ),
            (json!([looking_back]), Err("plan node 0: the lookback needs a datetime column")),
            (json!([of(json!({"stream": "S"}), "datetime")]), Err("plan node 0: column H: only text comes as lists")),
            (json!([of(json!({"inline": [["a", 0]]}), "string")]), Err("column H: inline rows have no lists")),
        ] {
            match (validated(&nodes), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{nodes}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}, expected {expected}"),
                (found, expected) => panic!("{nodes}: found {found:?}, expected {expected:?}"),
            }
        }
    }
}
