//! Testing a detection natively: [`check`] for its manifest, [`Sample`] for one row at a time through the same code as
//! in a component.

use sandtrap_wit::{
    batch::{Cell, ColumnBuilder},
    manifest::Manifest,
};

use crate::{
    Column, Datetime, Detection, EvaluateError, Field, Row, Scalar,
    detection::lift,
    wire::{self, Batch},
};

/// Whether a host would accept the manifest; the reason, if not.
pub fn check<D: Detection>() -> Result<(), String> {
    let manifest = D::manifest();
    manifest.plan.validate().map_err(|error| error.to_string())?;
    if let Some(field) = D::READS.iter().enumerate().find_map(|(at, field)| {
        let before = D::READS.iter().take(at);
        before.clone().any(|other| other.name == field.name && other.ty == field.ty).then_some(field)
    }) {
        return Err(format!("READS lists the column {} twice", field.name));
    }
    let json = serde_json::to_string(&manifest).map_err(|error| error.to_string())?;
    let back: Manifest = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    if back == manifest { Ok(()) } else { Err("the manifest does not survive JSON".into()) }
}

/// A row to try a detection on. Fields that are not set are absent.
#[derive(Clone, Debug, Default)]
pub struct Sample<'a> {
    cells: Vec<(Field, Cell<'a>)>,
    now: i64,
}

impl<'a> Sample<'a> {
    /// A row without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field.
    #[must_use]
    pub fn with<T: Scalar>(self, column: &Column<T>, value: T::Of<'a>) -> Self {
        self.set(column.field(), T::write(value))
    }

    /// Sets a field that is there without a value.
    #[must_use]
    pub fn with_null<T: Scalar>(self, column: &Column<T>) -> Self {
        self.set(column.field(), Cell::Null)
    }

    /// Sets what `now()` is.
    #[must_use]
    pub fn at(mut self, now: Datetime) -> Self {
        self.now = now.0;
        self
    }

    /// What the detection finds in the row.
    pub fn find<D: Detection>(&self) -> Result<Option<D::Found>, EvaluateError> {
        let columns = D::READS.iter().map(|field| {
            let mut column = ColumnBuilder::of(field.ty);
            let cell = self.cells.iter().find(|(set, _)| set == field).map_or(Cell::Absent, |(_, cell)| *cell);
            column.push(cell);
            wire::lower(&column.finish())
        });
        let columns = lift::<D>(Batch { rows: 1, now: self.now, columns: columns.collect() })?;
        Ok(D::find(&Row { reads: D::READS, columns: &columns, index: 0, now: self.now }))
    }

    fn set(mut self, field: Field, cell: Cell<'a>) -> Self {
        self.cells.retain(|(set, _)| *set != field);
        self.cells.push((field, cell));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManifestBuilder;

    const LISTED: Column<String> = Column::new("Listed");
    const FORGOTTEN: Column<i64> = Column::new("Forgotten");

    struct Careless;

    impl Detection for Careless {
        const STREAM: &'static str = "T";
        const READS: &'static [Field] = &[LISTED.field()];
        type Found = ();
        const COMPUTED: [&'static str; 0] = [];

        fn manifest() -> Manifest {
            let any = [LISTED.exists::<Self>(), FORGOTTEN.exists::<Self>()];
            ManifestBuilder::new("test", "careless", "Forgets a column").only_where_any(any).finish::<Self>()
        }

        fn find(row: &Row<'_>) -> Option<()> {
            row.value(&FORGOTTEN).map(|_| ())
        }
    }

    #[test]
    fn a_prefilter_on_a_column_that_is_not_read_is_told() {
        let error = check::<Careless>().expect_err("the host would refuse the manifest");
        assert!(error.contains("prefilter column"), "{error}");
    }

    #[test]
    #[should_panic(expected = "READS does not list the column Forgotten")]
    fn reading_a_column_that_is_not_listed_is_told_whatever_the_row() {
        let _ = Sample::new().with(&LISTED, "x").find::<Careless>();
    }

    #[test]
    fn absent_null_and_empty_differ() {
        struct Cells;
        impl Detection for Cells {
            const STREAM: &'static str = "T";
            const READS: &'static [Field] = &[LISTED.field()];
            type Found = (String,);
            const COMPUTED: [&'static str; 1] = ["Cell"];

            fn manifest() -> Manifest {
                ManifestBuilder::new("test", "cells", "Tells cells apart").finish::<Self>()
            }

            fn find(row: &Row<'_>) -> Option<(String,)> {
                Some((format!("{:?} {:?}", row.cell(&LISTED), row.text(&LISTED)),))
            }
        }
        for (sample, says) in [
            (Sample::new(), r#"Absent """#),
            (Sample::new().with_null(&LISTED), r#"Null """#),
            (Sample::new().with(&LISTED, ""), r#"Text("") """#),
            (Sample::new().with(&LISTED, "é"), r#"Text("é") "é""#),
        ] {
            assert_eq!(sample.find::<Cells>(), Ok(Some((says.to_owned(),))));
        }
    }
}
