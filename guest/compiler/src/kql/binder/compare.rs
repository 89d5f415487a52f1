//! Comparisons and text searches: their types, and which constant ends up as the needle.
//!
//! Reference: <https://learn.microsoft.com/kusto/query/datatypes-string-operators>, `numerical-operators`,
//! `between-operator` and `scalar-data-types/null-values`.

use sandtrap_wit::{LogicalType, PhysicalType};

use super::{
    Bind, Binder, Reported,
    arithmetic::{is_number, promoted},
    codes, untyped,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{CompareOp, Expr, Literal, MatchKind, Quantifier, TextMatch},
};

/// Whether a search folds case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// It does not.
    Sensitive,
    /// It does.
    Folded,
}

/// The text of a constant.
pub(super) fn constant_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Literal::Text(text, LogicalType::String)) => Some(text),
        Expr::Literal(Literal::Null(LogicalType::String)) => Some(""),
        _ => None,
    }
}

/// `not(condition)`
pub(super) fn not(condition: Expr) -> Expr {
    Expr::Not(Box::new(condition))
}

/// Searches a text for one needle, constant or not.
pub(super) fn search(haystack: Expr, needle: Expr, kind: MatchKind, case: Case) -> Expr {
    let fold = case == Case::Folded;
    if let Some(needle) = constant_text(&needle) {
        return search_any(haystack, vec![needle.to_string()], kind, case);
    }
    Expr::TextMatchDynamic { haystack: Box::new(haystack), needle: Box::new(needle), kind, fold }
}

/// Searches a text for one of several constant needles.
pub(super) fn search_any(haystack: Expr, needles: Vec<String>, kind: MatchKind, case: Case) -> Expr {
    let fold = case == Case::Folded;
    Expr::TextMatch(TextMatch { haystack: Box::new(haystack), needles, kind, fold, quantifier: Quantifier::Any })
}

/// Whether two texts are equal: neither side is special, so the constant one is the needle.
fn text_equal(left: Expr, right: Expr, case: Case) -> Expr {
    let (haystack, needle) = if constant_text(&left).is_some() { (right, left) } else { (left, right) };
    if constant_text(&needle).is_none() && case == Case::Sensitive {
        return Expr::Compare { op: CompareOp::Equal, left: Box::new(haystack), right: Box::new(needle) };
    }
    search(haystack, needle, MatchKind::Equals, case)
}

/// Whether Kusto converts one of these operands, of different types, to the type of the other: a constant against
/// text, and a number against a boolean.
fn is_coercion(left: &Expr, right: &Expr) -> bool {
    let constant = matches!(left, Expr::Literal(_)) || matches!(right, Expr::Literal(_));
    let types = [left.ty(), right.ty()];
    let text = types.contains(&LogicalType::String);
    let bool_and_number = types.contains(&LogicalType::Bool) && types.iter().any(|ty| is_number(*ty));
    constant && (text || bool_and_number)
}

impl Binder<'_> {
    /// `left op right` for `==`, `<` and so on; `shown` is the operator as written.
    pub(super) fn compare(&mut self, op: CompareOp, left: Expr, right: Expr, shown: &str, span: &Span) -> Bind<Expr> {
        self.note_time(op, &left, &right, span);
        let (left, right) = untyped::paired(left, right);
        let (left_ty, right_ty) = (left.ty(), right.ty());
        match (left_ty, right_ty) {
            (LogicalType::String, LogicalType::String) => match op {
                CompareOp::Equal => return Ok(text_equal(left, right, Case::Sensitive)),
                CompareOp::NotEqual => return Ok(not(text_equal(left, right, Case::Sensitive))),
                _ => {}
            },
            (LogicalType::Dynamic, _) | (_, LogicalType::Dynamic) => {
                let message = format!("`{shown}` on a dynamic value is not supported yet");
                return Err(self.report(Diagnostic::error(codes::TYPES, span.clone(), message)));
            }
            (LogicalType::Guid, LogicalType::Guid) if !matches!(op, CompareOp::Equal | CompareOp::NotEqual) => {
                let message = format!("`{shown}` on guids is not supported yet");
                return Err(self.report(Diagnostic::error(codes::TYPES, span.clone(), message)));
            }
            (left, right) if left == right || (is_number(left) && is_number(right)) => {}
            _ => return Err(self.not_comparable(&left, &right, span)),
        }
        let (left, right) =
            if is_number(left_ty) && is_number(right_ty) { promoted(left, right) } else { (left, right) };
        Ok(Expr::Compare { op, left: Box::new(left), right: Box::new(right) })
    }

    /// `left =~ right`
    pub(super) fn equal_folded(&mut self, left: Expr, right: Expr, shown: &str, span: &Span) -> Bind<Expr> {
        let (left, right) = (untyped::settled(left), untyped::settled(right));
        self.text_operands(&left, &right, shown, span)?;
        Ok(text_equal(left, right, Case::Folded))
    }

    /// `left has right` and its like.
    pub(super) fn text_search(
        &mut self,
        (left, right): (Expr, Expr),
        kind: MatchKind,
        case: Case,
        shown: &str,
        span: &Span,
    ) -> Bind<Expr> {
        let (left, right) = (untyped::settled(left), untyped::settled(right));
        self.text_operands(&left, &right, shown, span)?;
        Ok(search(left, right, kind, case))
    }

    /// `value between (low .. high)`, both ends included. A span as the upper end counts from the lower one.
    pub(super) fn between(&mut self, value: Expr, low: Expr, high: Expr, span: &Span) -> Bind<(Expr, Expr)> {
        let [value, low, high] = untyped::ranged([value, low, high]);
        let high = if low.ty() == LogicalType::Datetime && high.ty() == LogicalType::Timespan {
            let low = self.copied(low.clone(), span)?;
            self.arithmetic(crate::ir::Arithmetic::Add, low, high, span)?
        } else {
            high
        };
        if let Some(ty) = [&value, &low, &high].map(Expr::ty).into_iter().find(|ty| ty.physical() == PhysicalType::Text)
        {
            let message = format!("`between` takes numbers and times, and here is {ty}");
            let help = "compare texts with `>=` and `<=`";
            return Err(self.report(Diagnostic::error(codes::COMPARISON, span.clone(), message).help(help)));
        }
        let copy = self.copied(value.clone(), span)?;
        let low = self.compare(CompareOp::GreaterEqual, copy, low, "between", span);
        let high = self.compare(CompareOp::LessEqual, value, high, "between", span);
        Ok((low?, high?))
    }

    /// Refuses operands that are not text.
    fn text_operands(&mut self, left: &Expr, right: &Expr, shown: &str, span: &Span) -> Bind<()> {
        self.text_operand(left.ty(), shown, span)?;
        self.text_operand(right.ty(), shown, span)
    }

    /// Refuses an operand that is not text.
    pub(super) fn text_operand(&mut self, ty: LogicalType, shown: &str, span: &Span) -> Bind<()> {
        match ty {
            LogicalType::String => Ok(()),
            LogicalType::Dynamic => {
                let message = format!("`{shown}` on a dynamic value is not supported yet");
                Err(self.report(Diagnostic::error(codes::TYPES, span.clone(), message)))
            }
            ty => {
                let message = format!("`{shown}` compares text, and one side is {ty}");
                let help = "converting with `tostring(...)` is not supported yet";
                Err(self.report(Diagnostic::error(codes::NOT_TEXT, span.clone(), message).help(help)))
            }
        }
    }

    fn not_comparable(&mut self, left: &Expr, right: &Expr, span: &Span) -> Reported {
        let (left_ty, right_ty) = (left.ty(), right.ty());
        let types = [left_ty, right_ty];
        let diagnostic = if is_coercion(left, right) {
            let message =
                format!("comparing {left_ty} with {right_ty}, which converts the constant, is not supported yet");
            Diagnostic::error(codes::COERCION, span.clone(), message)
        } else {
            let message = format!("{left_ty} cannot be compared with {right_ty}");
            Diagnostic::error(codes::COMPARISON, span.clone(), message)
        };
        let diagnostic = match types.iter().find(|ty| **ty != LogicalType::String) {
            Some(LogicalType::Datetime) if types.contains(&LogicalType::String) => {
                diagnostic.help("write the time as `datetime(...)`")
            }
            Some(ty) if is_number(*ty) && types.contains(&LogicalType::String) => {
                diagnostic.help("write the number without quotes, or compare with a text column")
            }
            Some(LogicalType::Bool) if types.contains(&LogicalType::String) => {
                diagnostic.help("write `true` or `false` without quotes")
            }
            _ => diagnostic,
        };
        self.report(diagnostic)
    }
}
