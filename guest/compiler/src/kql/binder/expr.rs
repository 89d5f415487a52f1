//! Scalar expressions: one node of the syntax tree after the other, typed as it goes.

use sandtrap_wit::LogicalType;

use super::{Bind, Binder, EXPRESSION_DEPTH_MAX, Reported, codes, compare::Case, compare::not, scope::Scope, untyped};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{self, Arithmetic, CompareOp, Expr, MatchKind},
    kql::ast::{self, BinaryOp, ExprKind, TextOp, TextOpKind},
};

impl Binder<'_> {
    /// An expression.
    pub(super) fn expr(&mut self, expr: &ast::Expr, scope: &mut Scope<'_>) -> Bind<Expr> {
        if self.expression_depth >= EXPRESSION_DEPTH_MAX {
            let message = format!("the expression nests deeper than {EXPRESSION_DEPTH_MAX} levels");
            return Err(self.report(Diagnostic::error(codes::LIMIT, expr.span.clone(), message)));
        }
        self.expression_depth = self.expression_depth.saturating_add(1);
        let bound = self.expr_here(expr, scope);
        self.expression_depth = self.expression_depth.saturating_sub(1);
        bound
    }

    fn expr_here(&mut self, expr: &ast::Expr, scope: &mut Scope<'_>) -> Bind<Expr> {
        let span = &expr.span;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(literal(value)),
            ExprKind::Name(name) => self.name(name, span, scope),
            ExprKind::Unary { op, operand } => {
                let value = self.expr(operand, scope)?;
                self.signed(*op, value, span)
            }
            ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), .. } => self.logical(*op, expr, scope),
            ExprKind::Binary { op: BinaryOp::Unsupported(keyword), op_span, .. } => {
                Err(self.unsupported(&format!("the operator `{keyword}`"), op_span))
            }
            ExprKind::Binary { op, op_span, left, right } => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.binary(*op, left?, right?, op_span, span)
            }
            ExprKind::List { op, op_span, left, right } => self.list(*op, op_span, left, right, scope),
            ExprKind::Between { negated, value, low, high } => {
                let value = self.expr(value, scope);
                let low = self.expr(low, scope);
                let high = self.expr(high, scope);
                let (low, high) = self.between(value?, low?, high?, span)?;
                let inside = Expr::And(vec![low, high]);
                // Not the two other comparisons: a NaN is outside every range and neither less nor greater.
                Ok(if *negated { not(inside) } else { inside })
            }
            ExprKind::Call { name, arguments } => self.call(name, arguments, span, scope),
            ExprKind::Star => Err(self.unsupported("`*` as a value", span)),
            ExprKind::Member { .. } => Err(self.unsupported("access to a member of a dynamic value", span)),
            ExprKind::Index { .. } => Err(self.unsupported("access to an element of a dynamic value", span)),
            ExprKind::Subquery(_) => Err(self.unsupported("a tabular expression as a value", span)),
            ExprKind::Error => Err(Reported),
        }
    }

    /// An expression that is a condition.
    pub(super) fn condition(&mut self, expr: &ast::Expr, scope: &mut Scope<'_>) -> Bind<Expr> {
        let value = untyped::under(self.expr(expr, scope)?, LogicalType::Bool);
        if value.ty() == LogicalType::Bool {
            return Ok(value);
        }
        let message = format!("a condition is wanted here, and this is {}", value.ty());
        Err(self.report(Diagnostic::error(codes::NOT_BOOL, expr.span.clone(), message)))
    }

    /// A chain of `and` or `or`. It leans to the left as long as it is, so it is followed in a loop.
    fn logical(&mut self, op: BinaryOp, expr: &ast::Expr, scope: &mut Scope<'_>) -> Bind<Expr> {
        let mut operands = Vec::new();
        let mut rest = expr;
        while let ExprKind::Binary { op: other, left, right, .. } = &rest.kind
            && *other == op
        {
            operands.push(right.as_ref());
            rest = left;
        }
        operands.push(rest);
        operands.reverse();
        let bound: Vec<Bind<Expr>> = operands.into_iter().map(|operand| self.condition(operand, scope)).collect();
        let mut flat = Vec::with_capacity(bound.len());
        for operand in bound {
            match (op, operand?) {
                (BinaryOp::And, Expr::And(operands)) | (BinaryOp::Or, Expr::Or(operands)) => flat.extend(operands),
                (_, operand) => flat.push(operand),
            }
        }
        Ok(if op == BinaryOp::And { Expr::And(flat) } else { Expr::Or(flat) })
    }

    fn binary(&mut self, op: BinaryOp, left: Expr, right: Expr, op_span: &Span, span: &Span) -> Bind<Expr> {
        match op {
            BinaryOp::Equal => self.compare(CompareOp::Equal, left, right, "==", span),
            BinaryOp::NotEqual => self.compare(CompareOp::NotEqual, left, right, "!=", span),
            BinaryOp::Less => self.compare(CompareOp::Less, left, right, "<", span),
            BinaryOp::LessEqual => self.compare(CompareOp::LessEqual, left, right, "<=", span),
            BinaryOp::Greater => self.compare(CompareOp::Greater, left, right, ">", span),
            BinaryOp::GreaterEqual => self.compare(CompareOp::GreaterEqual, left, right, ">=", span),
            BinaryOp::EqualFold => self.equal_folded(left, right, "=~", span),
            BinaryOp::NotEqualFold => Ok(not(self.equal_folded(left, right, "!~", span)?)),
            BinaryOp::Add => self.arithmetic(Arithmetic::Add, left, right, span),
            BinaryOp::Subtract => self.arithmetic(Arithmetic::Subtract, left, right, span),
            BinaryOp::Multiply => self.arithmetic(Arithmetic::Multiply, left, right, span),
            BinaryOp::Divide => self.arithmetic(Arithmetic::Divide, left, right, span),
            BinaryOp::Modulo => self.arithmetic(Arithmetic::Modulo, left, right, span),
            BinaryOp::Text(op) => {
                let (kind, name) = match_kind(op.kind);
                let case = if op.case_sensitive { Case::Sensitive } else { Case::Folded };
                let found = self.text_search((left, right), kind, case, &shown(op, name), span)?;
                Ok(if op.negated { not(found) } else { found })
            }
            BinaryOp::And | BinaryOp::Or => Err(self.unsupported("this use of a logical operator", op_span)),
            BinaryOp::Unsupported(keyword) => Err(self.unsupported(&format!("the operator `{keyword}`"), op_span)),
        }
    }

    /// Refuses a scalar construct by name.
    pub(super) fn unsupported(&mut self, construct: &str, span: &Span) -> Reported {
        let message = format!("{construct} is not supported yet");
        self.report(Diagnostic::error(codes::EXPRESSION, span.clone(), message))
    }
}

fn match_kind(kind: TextOpKind) -> (MatchKind, &'static str) {
    match kind {
        TextOpKind::Has => (MatchKind::Term, "has"),
        TextOpKind::HasPrefix => (MatchKind::TermPrefix, "hasprefix"),
        TextOpKind::HasSuffix => (MatchKind::TermSuffix, "hassuffix"),
        TextOpKind::Contains => (MatchKind::Contains, "contains"),
        TextOpKind::StartsWith => (MatchKind::StartsWith, "startswith"),
        TextOpKind::EndsWith => (MatchKind::EndsWith, "endswith"),
    }
}

fn shown(op: TextOp, name: &str) -> String {
    format!("{}{name}{}", if op.negated { "!" } else { "" }, if op.case_sensitive { "_cs" } else { "" })
}

/// A constant.
fn literal(value: &ast::Literal) -> Expr {
    use ir::Literal;
    Expr::Literal(match value {
        ast::Literal::Bool(value) => Literal::Bool(*value),
        ast::Literal::Long(value) => Literal::Integer(*value, LogicalType::Long),
        ast::Literal::Int(value) => Literal::Integer(*value, LogicalType::Int),
        ast::Literal::Real(value) => Literal::Real(*value),
        ast::Literal::String(text) => Literal::Text(text.clone(), LogicalType::String),
        ast::Literal::Datetime(ticks) => Literal::Integer(*ticks, LogicalType::Datetime),
        ast::Literal::Timespan(ticks) => Literal::Integer(*ticks, LogicalType::Timespan),
        ast::Literal::Dynamic(serde_json::Value::Null) => Literal::Null(LogicalType::Dynamic),
        ast::Literal::Dynamic(value) => Literal::Text(value.to_string(), LogicalType::Dynamic),
        ast::Literal::Guid(text) => Literal::Text(text.clone(), LogicalType::Guid),
        // Text has no null.
        ast::Literal::Null(LogicalType::String) => Literal::Text(String::new(), LogicalType::String),
        ast::Literal::Null(ty) => Literal::Null(*ty),
    })
}
