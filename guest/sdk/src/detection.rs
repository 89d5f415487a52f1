//! The trait of a hand-written detection, and the loop that runs one over a batch.

use std::{fmt, marker::PhantomData};

use sandtrap_wit::{
    batch::{Column, ColumnBuilder, ColumnError},
    manifest::Manifest,
};

use crate::{
    Field, Found, Row,
    wire::{self, Batch, Guest, Matches},
};

/// The number of the one kernel that a hand-written detection has.
pub(crate) const KERNEL: u32 = 0;

/// A detection that looks at one row at a time.
pub trait Detection: 'static {
    /// The event stream that it reads: a table such as `DeviceNetworkEvents`, or a Sigma logsource.
    const STREAM: &'static str;
    /// The columns that [`Self::find`] reads. Columns that are only kept for the verdict are not among them: the host
    /// has them, and need not hand them in.
    const READS: &'static [Field];
    /// The values computed for a row that is found: a tuple, `()` for none.
    type Found: Found;
    /// The names of the computed columns.
    const COMPUTED: <Self::Found as Found>::Names;

    /// What the detection says of itself; see [`crate::ManifestBuilder`]. Must be the same every time.
    fn manifest() -> Manifest;

    /// Whether the row is a find, and what to report with it. Must depend on nothing but the row.
    fn find(row: &Row<'_>) -> Option<Self::Found>;
}

/// Why a batch cannot be evaluated. In a component it becomes a trap, which the host reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluateError(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Kernel(u32),
    Columns { sent: usize, read: usize },
    Column(&'static str, ColumnError),
    Type(&'static str),
    Output,
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Kernel(kernel) => write!(f, "there is no kernel {kernel}, only {KERNEL}"),
            Kind::Columns { sent, read } => write!(f, "the batch has {sent} columns where {read} are read"),
            Kind::Column(name, error) => write!(f, "column {name} of the batch: {error}"),
            Kind::Type(name) => write!(f, "column {name} of the batch is not of the type that the manifest names"),
            Kind::Output => f.write_str("the computed columns do not fit into a batch"),
        }
    }
}

impl std::error::Error for EvaluateError {}

/// Runs a detection over a batch.
pub(crate) fn evaluate<D: Detection>(kernel: u32, batch: Batch) -> Result<Matches, EvaluateError> {
    if kernel != KERNEL {
        return Err(EvaluateError(Kind::Kernel(kernel)));
    }
    let (rows, now) = (batch.rows, batch.now);
    let columns = lift::<D>(batch)?;
    let mut found = Vec::new();
    let mut computed: Vec<ColumnBuilder> = D::Found::TYPES.iter().map(|ty| ColumnBuilder::of(*ty)).collect();
    for row in 0..rows {
        let Some(values) = D::find(&Row { reads: D::READS, columns: &columns, index: row as usize, now }) else {
            continue;
        };
        if !values.push(&mut computed) {
            return Err(EvaluateError(Kind::Output));
        }
        found.push(row);
    }
    let columns = computed.into_iter().map(|column| wire::lower(&column.finish())).collect();
    Ok(Matches { rows: found, columns })
}

/// The columns of a batch, which must be those that `D` reads.
pub(crate) fn lift<D: Detection>(batch: Batch) -> Result<Vec<Column>, EvaluateError> {
    if batch.columns.len() != D::READS.len() {
        return Err(EvaluateError(Kind::Columns { sent: batch.columns.len(), read: D::READS.len() }));
    }
    let rows = batch.rows as usize;
    let lift_one = |(column, field): (_, &Field)| {
        let column = wire::lift(column, rows).map_err(|error| EvaluateError(Kind::Column(field.name, error)))?;
        let fits = column.physical() == field.ty.physical();
        if fits { Ok(column) } else { Err(EvaluateError(Kind::Type(field.name))) }
    };
    batch.columns.into_iter().zip(D::READS).map(lift_one).collect()
}

/// A [`Detection`] as the exports of `detection.wit`.
#[derive(Debug)]
pub struct Component<D>(PhantomData<D>);

impl<D: Detection> Guest for Component<D> {
    fn describe() -> String {
        serde_json::to_string(&D::manifest()).unwrap_or_else(|error| trap(&error))
    }

    fn evaluate(kernel: u32, batch: Batch) -> Matches {
        evaluate::<D>(kernel, batch).unwrap_or_else(|error| trap(&error))
    }
}

/// Ends the call. The contract has no errors: a trap is this detection's failure on this batch and nobody else's.
fn trap(error: &dyn std::error::Error) -> ! {
    panic!("{error}")
}

/// Compiles when `D` is a detection.
pub const fn assert_detection<D: Detection>() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cell, Column as Read, LogicalType, ManifestBuilder,
        wire::{Text, WireColumn, WireValues},
    };

    const NAME: Read<String> = Read::new("Name");
    const PORT: Read<i64> = Read::new("Port");

    struct High;

    impl Detection for High {
        const STREAM: &'static str = "T";
        const READS: &'static [Field] = &[NAME.field(), PORT.field()];
        type Found = (String, Option<i64>);
        const COMPUTED: [&'static str; 2] = ["Upper", "Rest"];

        fn manifest() -> Manifest {
            ManifestBuilder::new("test", "high", "A high port").finish::<Self>()
        }

        fn find(row: &Row<'_>) -> Option<Self::Found> {
            let port = row.value(&PORT)?;
            (port >= 1024).then(|| (row.text(&NAME).to_uppercase(), (port > 1024).then(|| port - 1024)))
        }
    }

    fn column(values: WireValues) -> WireColumn {
        WireColumn { validity: None, absent: None, lists: None, values }
    }

    fn names() -> WireColumn {
        column(WireValues::Text(Text { offsets: vec![0, 1, 2, 3], bytes: b"abc".to_vec() }))
    }

    fn ports() -> WireColumn {
        column(WireValues::Integers(vec![80, 1024, 1025]))
    }

    #[test]
    fn finds_are_row_numbers_and_computed_columns_of_the_same_length() {
        let matches = evaluate::<High>(KERNEL, Batch { rows: 3, now: 0, columns: vec![names(), ports()] })
            .expect("the batch is what the manifest asks for");
        assert_eq!(matches.rows, [1, 2]);
        let back: Vec<_> = matches.columns.into_iter().map(|column| wire::lift(column, 2)).collect();
        let expected = |cells: [Cell<'_>; 2], ty| {
            let mut builder = ColumnBuilder::of(ty);
            assert!(cells.iter().all(|cell| builder.push(*cell)), "the cells are of the column's type");
            Ok(builder.finish())
        };
        assert_eq!(back[0], expected([Cell::Text("B"), Cell::Text("C")], LogicalType::String));
        assert_eq!(back[1], expected([Cell::Null, Cell::Integer(1)], LogicalType::Long));
    }

    #[test]
    fn a_batch_that_the_manifest_does_not_ask_for_is_refused() {
        for (kernel, columns, says) in [
            (1, vec![names(), ports()], "there is no kernel 1"),
            (0, vec![names()], "has 1 columns where 2 are read"),
            (0, vec![ports(), names()], "column Name of the batch is not of the type"),
            (0, vec![names(), column(WireValues::Integers(vec![1]))], "column Port of the batch: the number of cells"),
        ] {
            let error = evaluate::<High>(kernel, Batch { rows: 3, now: 0, columns }).map(|matches| matches.rows);
            let error = error.expect_err("the batch is wrong").to_string();
            assert!(error.contains(says), "{error:?} should say {says:?}");
        }
    }
}
