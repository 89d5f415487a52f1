//! The typed intermediate representation: what every front end lowers to and [`crate::emit`] compiles.
//!
//! A [`Program`] is a plan and its kernels. A [`Kernel`] is a filter and some computed columns over typed inputs;
//! both are [`Expr`]essions. Expressions are typed when they are built: the front end inserts every [`Expr::Convert`]
//! that its language implies, and the emitter trusts the types. Semantics stand on the variants, because they are the
//! contract between a front end and the emitter.

mod element;
mod expr;
pub(crate) mod walk;

pub use element::{ElementTest, Network, Pattern, Piece};
pub use expr::{Arithmetic, CompareOp, DatePart, Expr, Function, Literal, MatchKind, Quantifier, TextMatch};
use sandtrap_wit::{LogicalType, plan::Plan};

/// A detection, ready to be emitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// What the host does around the kernels; `Kernel` nodes number into [`Program::kernels`].
    pub plan: Plan,
    /// In the order of their numbers.
    pub kernels: Vec<Kernel>,
}

/// A column of a kernel's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its type; of the elements where it is a list.
    pub ty: LogicalType,
    /// Whether its cells are lists of values, as Sigma wants them. Only text is.
    pub list: bool,
}

/// A function from a batch to the rows it picks and the columns it computes for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// The batch's columns, in order.
    pub inputs: Vec<Input>,
    /// Rows for which this is true are picked; false and null are not. `None` picks all.
    pub filter: Option<Expr>,
    /// One computed column each, for the rows that are picked.
    pub computed: Vec<Expr>,
}
