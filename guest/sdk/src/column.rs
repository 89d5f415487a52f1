//! The columns that a detection reads: a name of the stream, with a type that is checked where it is used.

use std::marker::PhantomData;

use sandtrap_wit::{
    LogicalType,
    batch::Cell,
    prefilter::{Atom, Test},
    text,
};

use crate::Detection;

/// A column that a detection reads, without its type parameter: what [`Detection::READS`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field of the stream.
    pub name: &'static str,
    /// The type that the host delivers.
    pub ty: LogicalType,
}

/// A column of type `T` that a detection reads.
#[derive(Debug)]
pub struct Column<T> {
    field: Field,
    of: PhantomData<T>,
}

impl<T: Scalar> Column<T> {
    /// The field `name` of the detection's stream.
    pub const fn new(name: &'static str) -> Self {
        Self { field: Field { name, ty: T::TYPE }, of: PhantomData }
    }

    /// For [`Detection::READS`].
    pub const fn field(&self) -> Field {
        self.field
    }

    /// A prefilter atom: the cell has a value.
    pub fn exists<D: Detection>(&self) -> Atom {
        self.atom::<D>(Test::Exists(true))
    }

    /// The place of the column in what `D` reads. One that is not there becomes a number that no host accepts, and
    /// [`crate::testing::check`] says so.
    fn atom<D: Detection>(&self, test: Test) -> Atom {
        let at = D::READS.iter().position(|field| *field == self.field).and_then(|at| u32::try_from(at).ok());
        Atom::new(at.unwrap_or(u32::MAX), test)
    }
}

/// Atoms on text compare without case, whatever the case of the literal. `!` makes one that holds of all other rows.
impl Column<String> {
    /// A prefilter atom: `literal` is somewhere in the text.
    pub fn contains<D: Detection>(&self, literal: &str) -> Atom {
        self.atom::<D>(Test::Contains(text::fold(literal)))
    }

    /// A prefilter atom: the text starts with `literal`.
    pub fn starts_with<D: Detection>(&self, literal: &str) -> Atom {
        self.atom::<D>(Test::Prefix(text::fold(literal)))
    }

    /// A prefilter atom: the text ends with `literal`.
    pub fn ends_with<D: Detection>(&self, literal: &str) -> Atom {
        self.atom::<D>(Test::Suffix(text::fold(literal)))
    }

    /// A prefilter atom: the text is `literal`.
    pub fn equals<D: Detection>(&self, literal: &str) -> Atom {
        self.atom::<D>(Test::Equals(text::fold(literal)))
    }
}

/// A type that a column can have. KQL's names are the types' [`LogicalType`].
pub trait Scalar: 'static {
    /// The type of the column in the manifest.
    const TYPE: LogicalType;
    /// What reading a cell gives.
    type Of<'a>;
    /// The cell's value; `None` when it has none.
    fn read(cell: Cell<'_>) -> Option<Self::Of<'_>>;
    /// The cell with that value.
    fn write(value: Self::Of<'_>) -> Cell<'_>;
}

/// An instant: ticks of 100 ns since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datetime(pub i64);

/// A span of time: ticks of 100 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan(pub i64);

/// Text that holds JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dynamic(pub String);

/// A GUID, as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guid(pub String);

/// `rust type: logical type, what reading gives, cell(inside) => value, value => inside`.
macro_rules! scalar {
    ($rust:ty: $ty:ident, $of:ty, $cell:ident($inner:ident) => $read:expr, $value:pat => $write:expr) => {
        impl Scalar for $rust {
            const TYPE: LogicalType = LogicalType::$ty;
            type Of<'a> = $of;
            fn read(cell: Cell<'_>) -> Option<Self::Of<'_>> {
                match cell {
                    Cell::$cell($inner) => Some($read),
                    _ => None,
                }
            }
            fn write($value: Self::Of<'_>) -> Cell<'_> {
                Cell::$cell($write)
            }
        }
    };
}

scalar!(String: String, &'a str, Text(text) => text, text => text);
scalar!(Dynamic: Dynamic, &'a str, Text(json) => json, json => json);
scalar!(Guid: Guid, &'a str, Text(text) => text, text => text);
scalar!(i32: Int, i64, Integer(value) => value, value => value);
scalar!(i64: Long, i64, Integer(value) => value, value => value);
scalar!(f64: Real, f64, Real(value) => value, value => value);
scalar!(bool: Bool, bool, Boolean(value) => value, value => value);
scalar!(Datetime: Datetime, Datetime, Integer(ticks) => Datetime(ticks), Datetime(ticks) => ticks);
scalar!(Timespan: Timespan, Timespan, Integer(ticks) => Timespan(ticks), Timespan(ticks) => ticks);
