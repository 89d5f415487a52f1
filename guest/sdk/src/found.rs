//! What a detection computes for a row that it finds: a tuple of values, one for each computed column.

use sandtrap_wit::{
    LogicalType,
    batch::{Cell, ColumnBuilder},
};

use crate::{Datetime, Dynamic, Guid, Scalar, Timespan};

/// A value of a computed column. `None` of an [`Option`] is null.
pub trait Value {
    /// The type of the column.
    const TYPE: LogicalType;
    /// The value as a cell.
    fn cell(&self) -> Cell<'_>;
}

impl<T: Value> Value for Option<T> {
    const TYPE: LogicalType = T::TYPE;
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, Value::cell)
    }
}

macro_rules! value {
    ($($rust:ty, $self:ident => $cell:expr;)*) => {$(
        impl Value for $rust {
            const TYPE: LogicalType = <$rust as Scalar>::TYPE;
            fn cell(&$self) -> Cell<'_> {
                $cell
            }
        }
    )*};
}

value! {
    String, self => Cell::Text(self);
    Dynamic, self => Cell::Text(&self.0);
    Guid, self => Cell::Text(&self.0);
    i32, self => Cell::Integer(i64::from(*self));
    i64, self => Cell::Integer(*self);
    f64, self => Cell::Real(*self);
    bool, self => Cell::Boolean(*self);
    Datetime, self => Cell::Integer(self.0);
    Timespan, self => Cell::Integer(self.0);
}

/// A tuple of up to six [`Value`]s: the computed columns of a row that was found.
pub trait Found {
    /// As many names as there are columns.
    type Names: AsRef<[&'static str]>;
    /// The columns' types.
    const TYPES: &'static [LogicalType];
    /// Adds the row to the columns. False when it does not fit.
    fn push(&self, columns: &mut [ColumnBuilder]) -> bool;
}

macro_rules! found {
    ($count:literal: $($value:ident $place:tt),*) => {
        impl<$($value: Value),*> Found for ($($value,)*) {
            type Names = [&'static str; $count];
            const TYPES: &'static [LogicalType] = &[$($value::TYPE),*];
            fn push(&self, columns: &mut [ColumnBuilder]) -> bool {
                let cells: [Cell<'_>; $count] = [$(self.$place.cell()),*];
                columns.len() == $count && columns.iter_mut().zip(cells).all(|(column, cell)| column.push(cell))
            }
        }
    };
}

found!(0:);
found!(1: A 0);
found!(2: A 0, B 1);
found!(3: A 0, B 1, C 2);
found!(4: A 0, B 1, C 2, D 3);
found!(5: A 0, B 1, C 2, D 3, E 4);
found!(6: A 0, B 1, C 2, D 3, E 4, F 5);
