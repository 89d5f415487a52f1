//! Operators with a list on their right: `in`, `has_any`, `has_all` and their forms.
//!
//! The list must be constant. Elements come from constants and from dynamic arrays; an element of an array that has
//! another type than the left side is never equal to it, as in Kusto. Reference:
//! <https://learn.microsoft.com/kusto/query/in-operator>, `has-any-operator`, `has-all-operator`.

use sandtrap_wit::LogicalType;
use serde_json::Value;

use super::{
    Bind, Binder, Reported,
    arithmetic::{integer, is_number, promoted},
    codes,
    compare::{Case, constant_text, not, search_any},
    scope::Scope,
    untyped,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{CompareOp, Expr, Literal, MatchKind, Quantifier, TextMatch},
    kql::ast::{self, ExprKind, ListOp},
};

/// One element of a list.
enum Element {
    /// Written as a constant.
    Constant(Literal, Span),
    /// An element of a dynamic array.
    Json(Value, Span),
}

impl Element {
    fn span(&self) -> &Span {
        match self {
            Self::Constant(_, span) | Self::Json(_, span) => span,
        }
    }
}

impl Binder<'_> {
    /// `left op (right, ...)`
    pub(super) fn list(
        &mut self,
        op: ListOp,
        op_span: &Span,
        left: &ast::Expr,
        right: &[ast::Expr],
        scope: &mut Scope<'_>,
    ) -> Bind<Expr> {
        let span = left.span.start..right.last().map_or(op_span.end, |last| last.span.end);
        let left = self.expr(left, scope);
        let elements = self.elements(op, right, scope);
        let (left, elements) = (left?, elements?);
        match op {
            ListOp::In => self.is_in(left, &elements, Case::Sensitive, &span),
            ListOp::NotIn => Ok(not(self.is_in(left, &elements, Case::Sensitive, &span)?)),
            ListOp::InFold => self.is_in(left, &elements, Case::Folded, &span),
            ListOp::NotInFold => Ok(not(self.is_in(left, &elements, Case::Folded, &span)?)),
            ListOp::HasAny => self.has(left, &elements, Quantifier::Any, "has_any", &span),
            ListOp::HasAll => self.has(left, &elements, Quantifier::All, "has_all", &span),
        }
    }

    fn elements(&mut self, op: ListOp, right: &[ast::Expr], scope: &mut Scope<'_>) -> Bind<Vec<Element>> {
        let mut elements = Vec::new();
        let mut refused = false;
        for expr in right {
            match self.element(op, expr, scope) {
                Ok(more) => elements.extend(more),
                Err(Reported) => refused = true,
            }
        }
        if refused { Err(Reported) } else { Ok(elements) }
    }

    fn element(&mut self, op: ListOp, expr: &ast::Expr, scope: &mut Scope<'_>) -> Bind<Vec<Element>> {
        let span = &expr.span;
        let tabular = match &expr.kind {
            ExprKind::Subquery(_) => true,
            ExprKind::Name(name) => self.is_tabular(name, scope),
            _ => false,
        };
        if tabular {
            let message = format!("a tabular expression in `{}` needs a join, which is not supported yet", shown(op));
            let help = "list the values themselves, or put them into a `let` with `dynamic([...])`";
            return Err(self.report(Diagnostic::error(codes::EXPRESSION, span.clone(), message).help(help)));
        }
        match self.expr(expr, scope)? {
            Expr::Literal(Literal::Null(LogicalType::Dynamic)) => Ok(Vec::new()),
            Expr::Literal(Literal::Text(json, LogicalType::Dynamic)) => {
                Ok(match serde_json::from_str(&json).unwrap_or_default() {
                    Value::Array(values) => values.into_iter().map(|it| Element::Json(it, span.clone())).collect(),
                    value => vec![Element::Json(value, span.clone())],
                })
            }
            Expr::Literal(literal) => Ok(vec![Element::Constant(literal, span.clone())]),
            _ => {
                let message = format!("the list of `{}` must be constant", shown(op));
                let help = "list constants, or compare with `==` and `or`";
                Err(self.report(Diagnostic::error(codes::NOT_CONSTANT, span.clone(), message).help(help)))
            }
        }
    }

    fn is_in(&mut self, left: Expr, elements: &[Element], case: Case, span: &Span) -> Bind<Expr> {
        let ty = if case == Case::Folded { LogicalType::String } else { elements_type(elements) };
        let left = untyped::under(left, ty);
        let ty = left.ty();
        if case == Case::Folded {
            self.text_operand(ty, "in~", span)?;
        }
        match ty {
            LogicalType::Dynamic => {
                let message = "`in` on a dynamic value is not supported yet";
                Err(self.report(Diagnostic::error(codes::TYPES, span.clone(), message)))
            }
            LogicalType::String => {
                let needles = self.equal_to(elements, ty)?.into_iter().filter_map(|literal| match literal {
                    Literal::Text(text, _) => Some(text),
                    _ => None,
                });
                Ok(search_any(left, needles.collect(), MatchKind::Equals, case))
            }
            LogicalType::Int | LogicalType::Long | LogicalType::Datetime | LogicalType::Timespan => {
                let integers = self.equal_to(elements, ty)?.into_iter().filter_map(|literal| match literal {
                    Literal::Integer(value, _) => Some(value),
                    _ => None,
                });
                let mut set: Vec<i64> = integers.collect();
                set.sort_unstable();
                set.dedup();
                Ok(Expr::InSet { value: Box::new(left), set })
            }
            LogicalType::Bool | LogicalType::Real | LogicalType::Guid => {
                let mut equal = Vec::new();
                for literal in self.equal_to(elements, ty)? {
                    let (left, right) = promoted(self.copied(left.clone(), span)?, Expr::Literal(literal));
                    equal.push(Expr::Compare { op: CompareOp::Equal, left: Box::new(left), right: Box::new(right) });
                }
                Ok(Expr::Or(equal))
            }
        }
    }

    /// The elements that a value of type `ty` can be equal to, as constants of that type. Nulls are equal to nothing.
    fn equal_to(&mut self, elements: &[Element], ty: LogicalType) -> Bind<Vec<Literal>> {
        let mut literals = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                // A missing column is empty text among texts.
                Element::Constant(Literal::Null(LogicalType::String), _) if ty == LogicalType::String => {
                    literals.push(Literal::Text(String::new(), ty));
                }
                Element::Constant(Literal::Null(_), _) => {}
                Element::Constant(literal, span) => literals.extend(self.constant_equal_to(literal, ty, span)?),
                Element::Json(Value::String(_), span)
                    if matches!(ty, LogicalType::Datetime | LogicalType::Timespan | LogicalType::Guid) =>
                {
                    let message = format!("a dynamic array cannot hold {ty} values here yet");
                    let help = "list the values themselves in the parentheses";
                    return Err(self.report(Diagnostic::error(codes::LIST_ELEMENT, span.clone(), message).help(help)));
                }
                Element::Json(value, _) => literals.extend(json_equal_to(value, ty)),
            }
        }
        Ok(literals)
    }

    fn constant_equal_to(&mut self, literal: &Literal, ty: LogicalType, span: &Span) -> Bind<Option<Literal>> {
        match literal {
            literal if literal.ty() == ty => Ok(Some(literal.clone())),
            Literal::Integer(value, _) if is_number(literal.ty()) && is_number(ty) => Ok(number(*value, ty)),
            Literal::Real(value) if is_number(ty) => Ok(whole(*value).and_then(|value| number(value, ty))),
            literal => {
                let message = format!("the list has {} where {ty} is compared", literal.ty());
                Err(self.report(Diagnostic::error(codes::LIST_ELEMENT, span.clone(), message)))
            }
        }
    }

    fn has(
        &mut self,
        left: Expr,
        elements: &[Element],
        quantifier: Quantifier,
        shown: &str,
        span: &Span,
    ) -> Bind<Expr> {
        let left = untyped::settled(left);
        self.text_operand(left.ty(), shown, span)?;
        let mut needles = Vec::with_capacity(elements.len());
        for element in elements {
            let text = match element {
                Element::Constant(literal, _) => constant_text(&Expr::Literal(literal.clone())).map(String::from),
                Element::Json(Value::String(text), _) => Some(text.clone()),
                Element::Json(..) => None,
            };
            let Some(text) = text else {
                let message = format!("`{shown}` searches for text, and the list has something else");
                let help = "write the element in quotes";
                let diagnostic = Diagnostic::error(codes::LIST_ELEMENT, element.span().clone(), message);
                return Err(self.report(diagnostic.help(help)));
            };
            needles.push(text);
        }
        let haystack = Box::new(left);
        Ok(Expr::TextMatch(TextMatch { haystack, needles, kind: MatchKind::Term, fold: true, quantifier }))
    }
}

/// The type that a list gives to a left side without one: that of the first element that has one.
fn elements_type(elements: &[Element]) -> LogicalType {
    let typed = elements.iter().find_map(|element| match element {
        Element::Constant(Literal::Null(LogicalType::String), _) => None,
        Element::Constant(literal, _) => Some(literal.ty()),
        Element::Json(Value::Bool(_), _) => Some(LogicalType::Bool),
        Element::Json(Value::String(_), _) => Some(LogicalType::String),
        Element::Json(Value::Number(number), _) if number.is_i64() => Some(LogicalType::Long),
        Element::Json(Value::Number(_), _) => Some(LogicalType::Real),
        Element::Json(..) => None,
    });
    typed.unwrap_or(LogicalType::String)
}

fn shown(op: ListOp) -> &'static str {
    match op {
        ListOp::In => "in",
        ListOp::NotIn => "!in",
        ListOp::InFold => "in~",
        ListOp::NotInFold => "!in~",
        ListOp::HasAny => "has_any",
        ListOp::HasAll => "has_all",
    }
}

/// An element of a dynamic array as a constant of that type; `None` if no value of the type is equal to it.
fn json_equal_to(value: &Value, ty: LogicalType) -> Option<Literal> {
    match value {
        Value::String(text) if ty == LogicalType::String => Some(Literal::Text(text.clone(), ty)),
        Value::Bool(value) if ty == LogicalType::Bool => Some(Literal::Bool(*value)),
        Value::Number(value) if ty == LogicalType::Real => value.as_f64().map(Literal::Real),
        Value::Number(value) => number(value.as_i64().or_else(|| value.as_f64().and_then(whole))?, ty),
        _ => None,
    }
}

/// An integer as a constant of a number type.
fn number(value: i64, ty: LogicalType) -> Option<Literal> {
    #[expect(clippy::cast_precision_loss, reason = "what promotion to real does")]
    match (ty, integer(value, ty)) {
        (LogicalType::Real, _) => Some(Literal::Real(value as f64)),
        (ty, Expr::Literal(literal)) if is_number(ty) => Some(literal),
        _ => None,
    }
}

/// The integer that a real is.
fn whole(value: f64) -> Option<i64> {
    /// 2^63, the first real that is past every `i64`.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the value is whole and in range")]
    (value.fract() == 0.0 && (-END..END).contains(&value)).then_some(value as i64)
}
