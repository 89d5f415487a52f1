//! Scalar functions. Reference: <https://learn.microsoft.com/kusto/query/scalar-functions>, one page each.

use sandtrap_wit::LogicalType;

use super::{
    Bind, Binder, Reported,
    arithmetic::{convert, is_number, promoted},
    codes,
    compare::{Case, constant_text, not, search_any},
    scope::{BindingValue, Scope},
    summarize::AGGREGATES,
    untyped,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{Arithmetic, Expr, Function, Literal, MatchKind},
    kql::ast::{self, Name},
    suggest,
};

/// The scalar functions there are.
const FUNCTIONS: [&str; 15] = [
    "ago",
    "iff",
    "iif",
    "isempty",
    "isnotempty",
    "isnotnull",
    "isnull",
    "not",
    "notempty",
    "notnull",
    "now",
    "strcat",
    "strlen",
    "tolower",
    "toupper",
];

/// How many arguments `strcat` takes.
const STRCAT_ARGUMENTS_MAX: usize = 64;
/// A constant `strcat` longer than this is left to the runtime.
const FOLDED_BYTES_MAX: usize = 4_096;

impl Binder<'_> {
    /// `name(argument, ...)`
    pub(super) fn call(
        &mut self,
        name: &Name,
        arguments: &[ast::Expr],
        span: &Span,
        scope: &mut Scope<'_>,
    ) -> Bind<Expr> {
        let function = name.text.as_str();
        if AGGREGATES.contains(&function) {
            if let Scope::Aggregating(aggregating) = scope {
                return self.aggregate(name, arguments, span, aggregating);
            }
            let message = format!("the aggregation function `{function}` stands outside `summarize`");
            return Err(self.report(Diagnostic::error(codes::AGGREGATION, name.span.clone(), message)));
        }
        if !FUNCTIONS.contains(&function) {
            return Err(self.unknown_function(name, scope));
        }
        let bound: Vec<Bind<Expr>> = arguments.iter().map(|argument| self.expr(argument, scope)).collect();
        let mut bound = bound.into_iter().collect::<Bind<Vec<Expr>>>()?;
        // A value without a type takes that of its parameter.
        let ty = match function {
            "now" | "ago" => LogicalType::Timespan,
            "not" => LogicalType::Bool,
            _ => LogicalType::String,
        };
        if !matches!(function, "iff" | "iif") {
            bound = bound.into_iter().map(|value| untyped::under(value, ty)).collect();
        }
        self.apply(name, bound, arguments, span)
    }

    fn apply(&mut self, name: &Name, mut values: Vec<Expr>, written: &[ast::Expr], span: &Span) -> Bind<Expr> {
        match name.text.as_str() {
            "not" => {
                let [value] = self.exactly(name, values)?;
                self.typed(name, &value, LogicalType::Bool, written.first())?;
                Ok(match value {
                    Expr::Literal(Literal::Bool(value)) => Expr::Literal(Literal::Bool(!value)),
                    value => not(value),
                })
            }
            "now" if values.is_empty() => Ok(Expr::Now),
            "now" => {
                let [offset] = self.exactly(name, values)?;
                self.typed(name, &offset, LogicalType::Timespan, written.first())?;
                self.arithmetic(Arithmetic::Add, Expr::Now, offset, span)
            }
            "ago" => {
                let [offset] = self.exactly(name, values)?;
                self.typed(name, &offset, LogicalType::Timespan, written.first())?;
                self.arithmetic(Arithmetic::Subtract, Expr::Now, offset, span)
            }
            "isnull" => Ok(is_null(self.exactly(name, values)?)),
            "isnotnull" | "notnull" => Ok(not(is_null(self.exactly(name, values)?))),
            "isempty" => Ok(is_empty(self.exactly(name, values)?)),
            "isnotempty" | "notempty" => Ok(not(is_empty(self.exactly(name, values)?))),
            "iff" | "iif" => {
                let [condition, then, otherwise] = self.exactly(name, values)?;
                let condition = untyped::under(condition, LogicalType::Bool);
                self.typed(name, &condition, LogicalType::Bool, written.first())?;
                self.choice(condition, then, otherwise, span)
            }
            "strlen" => self.text_function(name, Function::Strlen, values, written),
            "tolower" => self.text_function(name, Function::ToLower, values, written),
            "toupper" => self.text_function(name, Function::ToUpper, values, written),
            // The last of the known functions.
            _strcat => {
                if values.is_empty() || values.len() > STRCAT_ARGUMENTS_MAX {
                    return Err(self.count_of_arguments(name, &format!("1 to {STRCAT_ARGUMENTS_MAX}"), values.len()));
                }
                for (value, written) in values.iter().zip(written) {
                    self.typed(name, value, LogicalType::String, Some(written))?;
                }
                if let Some(text) = joined(&values) {
                    return Ok(Expr::Literal(Literal::Text(text, LogicalType::String)));
                }
                Ok(match (values.len(), values.pop()) {
                    (1, Some(only)) => only,
                    (_, last) => {
                        values.extend(last);
                        Expr::Call { function: Function::Strcat, arguments: values }
                    }
                })
            }
        }
    }

    fn text_function(
        &mut self,
        name: &Name,
        function: Function,
        values: Vec<Expr>,
        written: &[ast::Expr],
    ) -> Bind<Expr> {
        let [value] = self.exactly(name, values)?;
        self.typed(name, &value, LogicalType::String, written.first())?;
        Ok(Expr::Call { function, arguments: vec![value] })
    }

    /// `iff(condition, then, otherwise)`: both results have one type.
    fn choice(&mut self, condition: Expr, then: Expr, otherwise: Expr, span: &Span) -> Bind<Expr> {
        let (then, otherwise) = untyped::paired(then, otherwise);
        let (then_ty, otherwise_ty) = (then.ty(), otherwise.ty());
        let (then, otherwise) = if then_ty == otherwise_ty {
            (then, otherwise)
        } else if is_number(then_ty) && is_number(otherwise_ty) {
            let (then, otherwise) = promoted(then, otherwise);
            let ty = if then.ty() == LogicalType::Real { LogicalType::Real } else { LogicalType::Long };
            (convert(then, ty), convert(otherwise, ty))
        } else {
            let message = format!("the results of `iff` have the types {then_ty} and {otherwise_ty}");
            let help = "give both the same type";
            return Err(self.report(Diagnostic::error(codes::ARGUMENTS, span.clone(), message).help(help)));
        };
        Ok(Expr::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) })
    }

    /// As many arguments as the function takes.
    fn exactly<const N: usize>(&mut self, name: &Name, values: Vec<Expr>) -> Bind<[Expr; N]> {
        let count = values.len();
        values.try_into().map_err(|_| self.count_of_arguments(name, &N.to_string(), count))
    }

    /// Says how many arguments a function takes.
    pub(super) fn count_of_arguments(&mut self, name: &Name, wanted: &str, found: usize) -> Reported {
        let plural = if wanted == "1" { "" } else { "s" };
        let message = format!("`{}` takes {wanted} argument{plural}, and here are {found}", name.text);
        self.report(Diagnostic::error(codes::ARGUMENTS, name.span.clone(), message))
    }

    /// Refuses an argument of another type.
    fn typed(&mut self, name: &Name, value: &Expr, ty: LogicalType, written: Option<&ast::Expr>) -> Bind<()> {
        if value.ty() == ty {
            return Ok(());
        }
        let span = written.map_or(name.span.clone(), |written| written.span.clone());
        let message = format!("`{}` takes {ty} here, and this is {}", name.text, value.ty());
        let diagnostic = Diagnostic::error(codes::ARGUMENTS, span, message);
        Err(self.report(match ty {
            LogicalType::String => diagnostic.help("converting with `tostring(...)` is not supported yet"),
            LogicalType::Timespan => diagnostic.help("write a timespan such as `5d` or `24h`"),
            _ => diagnostic,
        }))
    }

    fn unknown_function(&mut self, name: &Name, scope: &Scope<'_>) -> Reported {
        if let Some(BindingValue::Refused) = self.binding(&name.text).map(|binding| &binding.value) {
            return Reported;
        }
        let kind = if matches!(scope, Scope::Aggregating(_)) { "aggregation function" } else { "function" };
        let message = format!("the {kind} `{}` is not supported yet", name.text);
        let mut diagnostic = Diagnostic::error(codes::FUNCTION, name.span.clone(), message);
        let known = FUNCTIONS.into_iter().chain(AGGREGATES);
        diagnostic.help = suggest::closest(&name.text, known).map(|found| format!("did you mean `{found}`?"));
        self.report(diagnostic)
    }
}

fn is_null([value]: [Expr; 1]) -> Expr {
    Expr::IsNull(Box::new(value))
}

/// True of an empty text and of a null: a value of another type than text is empty when it is null. A dynamic value
/// may be an empty text itself.
fn is_empty([value]: [Expr; 1]) -> Expr {
    match value.ty() {
        LogicalType::String => Expr::IsEmpty(Box::new(value)),
        LogicalType::Dynamic => {
            let empty = search_any(value.clone(), vec!["\"\"".into()], MatchKind::Equals, Case::Sensitive);
            Expr::Or(vec![Expr::IsNull(Box::new(value)), empty])
        }
        _ => Expr::IsNull(Box::new(value)),
    }
}

/// The constants one after the other, if all are and the result is short.
fn joined(values: &[Expr]) -> Option<String> {
    let mut text = String::new();
    for value in values {
        text.push_str(constant_text(value)?);
        if text.len() > FOLDED_BYTES_MAX {
            return None;
        }
    }
    Some(text)
}
