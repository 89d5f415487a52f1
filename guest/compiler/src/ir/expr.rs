//! Expressions of the IR.
//!
//! A value of any type but `String` may be null. Text has no null: a cell without a value reads as the empty text.
//! Booleans follow Kleene's three-valued logic.

use sandtrap_wit::{LogicalType, PhysicalType};

use super::ElementTest;

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A constant.
    Literal(Literal),
    /// The cell of this column of the batch. A column of lists occurs only as the haystack of an [`Expr::TextMatch`].
    Input {
        /// Index into [`super::Kernel::inputs`].
        column: u32,
        /// Its type there.
        ty: LogicalType,
    },
    /// The batch's `now`: datetime, never null.
    Now,
    /// True for false, false for true, null for null.
    Not(Box<Expr>),
    /// False if any operand is false, else null if any is null, else true. True of no operands.
    And(Vec<Expr>),
    /// True if any operand is true, else null if any is null, else false. False of no operands.
    Or(Vec<Expr>),
    /// Compares two operands of the same physical type.
    ///
    /// `Equal` and `NotEqual`: both null gives null; one null gives false and true. The others: any null gives null.
    /// Text compares by its UTF-8 bytes, false is less than true, and a NaN is unequal to everything, itself included.
    Compare {
        /// How.
        op: CompareOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// Whether an integer (or datetime or timespan) is in a set. Null gives false. Sorted, without duplicates.
    InSet {
        /// The integer.
        value: Box<Expr>,
        /// The set.
        set: Vec<i64>,
    },
    /// Searches text for constant needles. Never null.
    ///
    /// In a column of lists, a needle is found where an element has it; a row without a value has no element, so that
    /// nothing is found in it, not even the empty needle.
    TextMatch(TextMatch),
    /// Whether an element of a column of lists passes a test; false of a row without a value. Never null.
    AnyElement {
        /// The column of lists.
        column: u32,
        /// The test.
        test: ElementTest,
    },
    /// Whether the event has this column's field, with a value or as null. Never null.
    Exists {
        /// The column.
        column: u32,
    },
    /// Whether this column's cell has a value, the empty text and the empty list included. Never null.
    HasValue {
        /// The column.
        column: u32,
    },
    /// Searches text for a needle that is not constant, exactly as [`Expr::TextMatch`] with one needle.
    TextMatchDynamic {
        /// The text.
        haystack: Box<Expr>,
        /// The needle: text.
        needle: Box<Expr>,
        /// How it must lie.
        kind: MatchKind,
        /// Whether both sides are folded first.
        fold: bool,
    },
    /// Whether the operand is null: a boolean, never null. For text always false.
    IsNull(Box<Expr>),
    /// Whether a text is empty: a boolean, never null.
    IsEmpty(Box<Expr>),
    /// Arithmetic on two operands of the same physical type, Integers or Reals; null if either is null.
    ///
    /// Integer arithmetic wraps, as Kusto's does. Integer division truncates towards zero and by zero gives null; the
    /// remainder takes the sign of the divisor's absolute value: KQL's `%` is never negative (`-5 % 3` is 1). Real
    /// arithmetic is IEEE 754; the result has the type `ty`.
    Arithmetic {
        /// Which.
        op: Arithmetic,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// The type of the result.
        ty: LogicalType,
    },
    /// The operand under another type; null stays null.
    ///
    /// Between types of physical Integers the value stays as it is. Integers to Reals converts. Booleans to Integers gives 0
    /// and 1. No other pair occurs.
    Convert {
        /// The operand.
        value: Box<Expr>,
        /// The type of the result.
        ty: LogicalType,
    },
    /// `then` where the condition is true, `otherwise` where it is false or null; both have the same type.
    If {
        /// A boolean.
        condition: Box<Expr>,
        /// Where it is true.
        then: Box<Expr>,
        /// Where it is not.
        otherwise: Box<Expr>,
    },
    /// A function of the runtime.
    Call {
        /// Which.
        function: Function,
        /// Its arguments, of the types the function says.
        arguments: Vec<Expr>,
    },
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// The null of a type; for `String` the empty text.
    Null(LogicalType),
    /// A boolean.
    Bool(bool),
    /// A value of physical Integers: int, long, datetime, timespan.
    Integer(i64, LogicalType),
    /// A real.
    Real(f64),
    /// A value of physical Text: string, dynamic (as JSON), guid.
    Text(String, LogicalType),
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// Searches text for constant needles.
#[derive(Clone, Debug, PartialEq)]
pub struct TextMatch {
    /// The text.
    pub haystack: Box<Expr>,
    /// What to look for, as written in the rule (not folded). The empty needle is found everywhere (`Equals`: only the
    /// empty text is equal to it).
    pub needles: Vec<String>,
    /// How a needle must lie in the text.
    pub kind: MatchKind,
    /// Whether text and needles are folded ([`sandtrap_wit::text`]) first.
    pub fold: bool,
    /// How many needles must be found.
    pub quantifier: Quantifier,
}

/// How a needle must lie in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchKind {
    /// It is the whole text.
    Equals,
    /// Anywhere.
    Contains,
    /// At its start.
    StartsWith,
    /// At its end.
    EndsWith,
    /// Anywhere, with a term boundary at each edge where the needle's own edge character is a term character
    /// ([`sandtrap_wit::text::is_term_char`]): KQL `has`. With `fold`, characters are tested after folding.
    Term,
    /// As `Term`, with only the left boundary: KQL `hasprefix`.
    TermPrefix,
    /// As `Term`, with only the right boundary: KQL `hassuffix`.
    TermSuffix,
}

/// How many needles must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one; false of none.
    Any,
    /// All; true of none.
    All,
}

/// Arithmetic operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

/// Functions of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// string -> long: the number of Unicode code points (KQL `strlen`).
    Strlen,
    /// string -> string: Unicode lower case, one character to one character.
    ToLower,
    /// string -> string: Unicode upper case, one character to one character.
    ToUpper,
    /// string, string, ... -> string: one after the other (KQL `strcat`).
    Strcat,
    /// datetime -> long: a part of the calendar date or the time of day in UTC; null of null.
    DatePart(DatePart),
}

/// Parts of a datetime (Sigma's time modifiers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, 1 to 31.
    Day,
    /// Of the year by ISO 8601, 1 to 53.
    Week,
    /// 1 to 12.
    Month,
    /// The calendar year.
    Year,
}

impl Function {
    /// The type of the result.
    pub fn ty(self) -> LogicalType {
        match self {
            Self::Strlen | Self::DatePart(_) => LogicalType::Long,
            Self::ToLower | Self::ToUpper | Self::Strcat => LogicalType::String,
        }
    }
}

impl CompareOp {
    /// The operator that says the same with its operands swapped.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
        }
    }
}

impl Literal {
    /// Its type.
    pub fn ty(&self) -> LogicalType {
        match self {
            Self::Null(ty) | Self::Integer(_, ty) | Self::Text(_, ty) => *ty,
            Self::Bool(_) => LogicalType::Bool,
            Self::Real(_) => LogicalType::Real,
        }
    }
}

impl Expr {
    /// Its type.
    pub fn ty(&self) -> LogicalType {
        match self {
            Self::Literal(literal) => literal.ty(),
            Self::Input { ty, .. } | Self::Arithmetic { ty, .. } | Self::Convert { ty, .. } => *ty,
            Self::Now => LogicalType::Datetime,
            Self::If { then, .. } => then.ty(),
            Self::Call { function, .. } => function.ty(),
            Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Compare { .. }
            | Self::InSet { .. }
            | Self::TextMatch(_)
            | Self::AnyElement { .. }
            | Self::Exists { .. }
            | Self::HasValue { .. }
            | Self::TextMatchDynamic { .. }
            | Self::IsNull(_)
            | Self::IsEmpty(_) => LogicalType::Bool,
        }
    }

    /// How its values lie.
    pub fn physical(&self) -> PhysicalType {
        self.ty().physical()
    }

    /// The null of a type; for `String` the empty text.
    pub fn null(ty: LogicalType) -> Self {
        Self::Literal(Literal::Null(ty))
    }
}
