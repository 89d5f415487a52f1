//! Prefilters: a *necessary* condition for a detection to match a row, in a form that the host can index.
//!
//! A prefilter is a conjunction of clauses, each a disjunction of atoms. No clauses means every row may match; an
//! empty clause means none can. A wrong prefilter can only hide events from the component that declared it. Text
//! atoms compare folded text (see [`crate::text`]) with a literal that is already folded.

use serde::{Deserialize, Serialize};

use crate::{PhysicalType, plan::NamedColumn, text};

/// A conjunction of [`Clause`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prefilter {
    /// All of them must hold.
    pub clauses: Vec<Clause>,
}

/// A disjunction of [`Atom`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clause {
    /// One of them must hold.
    pub atoms: Vec<Atom>,
}

/// One condition on one column of the source. A cell without a value meets no atom, save that text is then empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Atom {
    /// The column of the source.
    pub column: u32,
    /// What its cell must be.
    #[serde(flatten)]
    pub test: Test,
}

/// What a cell must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// Folded text with this in it.
    Contains(String),
    /// Folded text that starts so.
    Prefix(String),
    /// Folded text that ends so.
    Suffix(String),
    /// Folded text that is this.
    Equals(String),
    /// A cell that has a value.
    Exists(bool),
    /// One of these integers.
    Integers(Vec<i64>),
    /// An integer from here to there, both included.
    Range(i64, i64),
}

/// The value of a cell that an atom is tested on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tested<'a> {
    /// No value.
    Null,
    /// Text, already folded.
    Folded(&'a str),
    /// An integer.
    Integer(i64),
    /// A value of another kind; only `exists` can hold.
    Other,
}

impl Prefilter {
    /// Whether every row may match.
    pub fn is_always(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether no row can match.
    pub fn is_never(&self) -> bool {
        self.clauses.iter().any(|clause| clause.atoms.is_empty())
    }

    /// Whether a row may match, one atom after the other: what an index must agree with.
    pub fn admits<'a>(&self, cell: impl Fn(u32) -> Tested<'a>) -> bool {
        self.clauses.iter().all(|clause| clause.atoms.iter().any(|atom| atom.test.holds(cell(atom.column))))
    }

    /// Checks columns, types and that literals are folded.
    pub(crate) fn validate(&self, columns: &[NamedColumn]) -> Result<(), String> {
        for atom in self.clauses.iter().flat_map(|clause| &clause.atoms) {
            let column = columns
                .get(atom.column as usize)
                .ok_or_else(|| format!("prefilter column {} is out of range", atom.column))?;
            let physical = column.ty.physical();
            let fits = match &atom.test {
                Test::Contains(literal) | Test::Prefix(literal) | Test::Suffix(literal) | Test::Equals(literal) => {
                    if !text::is_folded(literal) {
                        return Err(format!("prefilter literal {literal:?} is not folded"));
                    }
                    physical == PhysicalType::Text
                }
                Test::Exists(_) => true,
                Test::Integers(_) | Test::Range(..) => physical == PhysicalType::Integers,
            };
            if !fits {
                return Err(format!("prefilter on column {}: an atom does not fit type {}", column.name, column.ty));
            }
        }
        Ok(())
    }
}

impl Test {
    /// Whether a cell is so.
    pub fn holds(&self, cell: Tested<'_>) -> bool {
        match (self, cell) {
            (Self::Contains(literal), Tested::Folded(text)) => text.contains(literal.as_str()),
            (Self::Prefix(literal), Tested::Folded(text)) => text.starts_with(literal.as_str()),
            (Self::Suffix(literal), Tested::Folded(text)) => text.ends_with(literal.as_str()),
            (Self::Equals(literal), Tested::Folded(text)) => text == literal,
            (Self::Exists(wanted), cell) => (cell != Tested::Null) == *wanted,
            (Self::Integers(set), Tested::Integer(value)) => set.contains(&value),
            (Self::Range(low, high), Tested::Integer(value)) => (*low..=*high).contains(&value),
            _ => false,
        }
    }
}
