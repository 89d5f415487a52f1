//! The syntax tree of a KQL query, with spans.
//!
//! It says what was written, not what it means: names are unresolved and nothing is typed. A construct that the parser
//! knows and the compiler does not is kept as [`OperatorKind::Unsupported`] or as a call of its name, so that the
//! binder can refuse it by name and place. Reference: <https://learn.microsoft.com/kusto/query/>.

use crate::diagnostic::Span;

/// A query: `let` statements and, last, the tabular expression that is its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The `let` statements, in order.
    pub lets: Vec<Let>,
    /// The result.
    pub body: Pipeline,
}

/// `let name = value;`
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub value: LetValue,
}

/// What a `let` binds. A lone name may be either; the parser calls it a [`LetValue::Scalar`] holding [`ExprKind::Name`],
/// and whoever resolves names finds out.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a query has few `let` statements")]
pub enum LetValue {
    /// A scalar expression or a dynamic array.
    Scalar(Expr),
    /// A tabular expression.
    Tabular(Pipeline),
    /// A function or anything else that is not supported, by the name of the construct.
    Unsupported {
        /// What it is, for the message: `user-defined function`.
        construct: String,
        /// All of it.
        span: Span,
    },
}

/// A name and where it stands. `['quoted name']` is a name without its brackets and quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A data source and the operators applied to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Where rows come from.
    pub source: DataSource,
    /// In order.
    pub operators: Vec<Operator>,
    /// All of it.
    pub span: Span,
}

/// Where the rows of a pipeline come from.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a pipeline has one data source")]
pub enum DataSource {
    /// A table, or a tabular `let`.
    Name(Name),
    /// `print [name =] expression, ...`: one row.
    Print {
        /// The columns; one without a name is `print_N`, N being its position.
        columns: Vec<NamedExpr>,
        /// All of it.
        span: Span,
    },
    /// `datatable (name: type, ...) [ literal, ... ]`
    Datatable {
        /// Names and type names.
        columns: Vec<(Name, Name)>,
        /// Row by row; the number is not checked to be a multiple of the columns.
        cells: Vec<Expr>,
        /// All of it.
        span: Span,
    },
    /// `range name from a to b step c`
    Range {
        /// The column.
        name: Name,
        /// The first value.
        from: Expr,
        /// No value is past this.
        to: Expr,
        /// The distance.
        step: Expr,
        /// All of it.
        span: Span,
    },
    /// `( pipeline )`
    Parenthesised(Box<Pipeline>),
    /// A data source that is not supported (`union ...`, `externaldata`, `find`, `search`, a function call, ...).
    Unsupported {
        /// The construct, for the message: `union`, `externaldata`, `function call F()`.
        construct: String,
        /// Its name in the text.
        span: Span,
    },
}

/// One `| operator ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Which.
    pub kind: OperatorKind,
    /// From its keyword to its end.
    pub span: Span,
}

/// A tabular operator.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// `where predicate` (also `filter`)
    Where(Expr),
    /// `project [name =] expression, ...`
    Project(Vec<NamedExpr>),
    /// `extend [name =] expression, ...`
    Extend(Vec<NamedExpr>),
    /// `summarize [name =] aggregate(...), ... [by [name =] expression, ...]`
    Summarize {
        /// The aggregates.
        aggregates: Vec<NamedExpr>,
        /// The group keys.
        by: Vec<NamedExpr>,
    },
    /// `distinct column, ...` or `distinct *`
    Distinct(Vec<Expr>),
    /// `count`: one row with the column `Count`.
    Count,
    /// `sort by` or `order by`
    Sort(Vec<OrderedExpr>),
    /// `top n by key, ...`
    Top {
        /// How many rows.
        rows: Expr,
        /// The keys.
        by: Vec<OrderedExpr>,
    },
    /// `take n` or `limit n`
    Take(Expr),
    /// An operator that is not supported, by its keyword: `join`, `mv-expand`, ... Its text was skipped.
    Unsupported(String),
}

/// `[name =] expression`
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExpr {
    /// The name, if one is given.
    pub name: Option<Name>,
    /// The expression.
    pub expr: Expr,
}

/// `expression [asc|desc] [nulls first|nulls last]`
#[derive(Clone, Debug, PartialEq)]
pub struct OrderedExpr {
    /// The expression.
    pub expr: Expr,
    /// `asc` is true; KQL's default is desc.
    pub ascending: Option<bool>,
    /// `nulls first` is true; the default depends on the direction.
    pub nulls_first: Option<bool>,
}

/// A scalar expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// All of it.
    pub span: Span,
}

/// A scalar expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A column, or a scalar `let`.
    Name(String),
    /// `*`, where the grammar has it.
    Star,
    /// `-x` or `+x`
    Unary {
        /// Which.
        op: UnaryOp,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `left op right`
    Binary {
        /// Which.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `left in (a, b)`, `left has_any (a, b)`, ... A single argument may be a name that stands for an array.
    List {
        /// Which.
        op: ListOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// What stands in the parentheses.
        right: Vec<Expr>,
    },
    /// `value between (low .. high)`
    Between {
        /// Whether it is `!between`.
        negated: bool,
        /// The value.
        value: Box<Expr>,
        /// The lower end, included.
        low: Box<Expr>,
        /// The upper end, included.
        high: Box<Expr>,
    },
    /// `name(argument, ...)`. `not(x)`, `now()`, `ago(x)` and every other function, aggregates included.
    Call {
        /// The function's name.
        name: Name,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// `target.member`
    Member {
        /// The target.
        target: Box<Expr>,
        /// The member.
        member: Name,
    },
    /// `target[index]`
    Index {
        /// The target.
        target: Box<Expr>,
        /// The index.
        index: Box<Expr>,
    },
    /// A tabular expression where a scalar or a list is wanted: `x in ((T | project y))`.
    Subquery(Box<Pipeline>),
    /// Something that did not parse; an error has been reported.
    Error,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true`, `bool(true)`
    Bool(bool),
    /// `1`, `long(1)`, `0x1F`
    Long(i64),
    /// `int(1)`
    Int(i64),
    /// `1.5`, `1e3`, `real(nan)`
    Real(f64),
    /// Any form of string literal, unescaped; adjacent literals are one.
    String(String),
    /// `datetime(2024-01-01)`: ticks of 100 ns since 1970-01-01 UTC.
    Datetime(i64),
    /// `5d`, `timespan(1.02:03:04)`, `time(5d)`: ticks of 100 ns.
    Timespan(i64),
    /// `dynamic(...)`: JSON, with KQL's liberties (single quotes, datetimes, ...) already normalised.
    Dynamic(serde_json::Value),
    /// `guid(...)`: lower case, with dashes.
    Guid(String),
    /// `long(null)`, `datetime(null)`, ...: by type name.
    Null(sandtrap_wit::LogicalType),
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `+`
    Plus,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `and`
    And,
    /// `or`
    Or,
    /// `==`
    Equal,
    /// `!=` or `<>`
    NotEqual,
    /// `=~`
    EqualFold,
    /// `!~`
    NotEqualFold,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
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
    /// A text operator.
    Text(TextOp),
    /// `matches regex` and other operators that are known and not supported, by their keyword.
    Unsupported(&'static str),
}

/// `has`, `!has`, `has_cs`, `!has_cs` and their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOp {
    /// How the needle must lie.
    pub kind: TextOpKind,
    /// Whether it is the `!` form.
    pub negated: bool,
    /// Whether it is the `_cs` form.
    pub case_sensitive: bool,
}

/// How the needle of a [`TextOp`] must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOpKind {
    /// `has`
    Has,
    /// `hasprefix`
    HasPrefix,
    /// `hassuffix`
    HasSuffix,
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

/// Operators with a list on their right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOp {
    /// `in`
    In,
    /// `!in`
    NotIn,
    /// `in~`
    InFold,
    /// `!in~`
    NotInFold,
    /// `has_any`
    HasAny,
    /// `has_all`
    HasAll,
}
