//! Walking the IR: the operands of an expression, how heavy it is, and which columns it reads.

use super::{ElementTest, Expr, Literal};

/// So many bytes of a constant weigh as much as a node.
const BYTES_PER_NODE: usize = 16;

/// How large an expression is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Nodes, constants counted by their size.
    pub(crate) nodes: usize,
    /// The longest way down.
    pub(crate) depth: usize,
}

/// The operands of an expression.
pub(crate) fn operands(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Literal(_)
        | Expr::Input { .. }
        | Expr::Now
        | Expr::AnyElement { .. }
        | Expr::Exists { .. }
        | Expr::HasValue { .. } => Vec::new(),
        Expr::Not(operand)
        | Expr::IsNull(operand)
        | Expr::IsEmpty(operand)
        | Expr::InSet { value: operand, .. }
        | Expr::Convert { value: operand, .. } => vec![operand],
        Expr::TextMatch(text) => vec![&text.haystack],
        Expr::And(operands) | Expr::Or(operands) | Expr::Call { arguments: operands, .. } => operands.iter().collect(),
        Expr::Compare { left, right, .. } | Expr::Arithmetic { left, right, .. } => vec![left, right],
        Expr::TextMatchDynamic { haystack, needle, .. } => vec![haystack, needle],
        Expr::If { condition, then, otherwise } => vec![condition, then, otherwise],
    }
}

/// The operands of an expression, to be changed.
fn operands_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Literal(_)
        | Expr::Input { .. }
        | Expr::Now
        | Expr::AnyElement { .. }
        | Expr::Exists { .. }
        | Expr::HasValue { .. } => Vec::new(),
        Expr::Not(operand)
        | Expr::IsNull(operand)
        | Expr::IsEmpty(operand)
        | Expr::InSet { value: operand, .. }
        | Expr::Convert { value: operand, .. } => vec![operand],
        Expr::TextMatch(text) => vec![&mut text.haystack],
        Expr::And(operands) | Expr::Or(operands) | Expr::Call { arguments: operands, .. } => {
            operands.iter_mut().collect()
        }
        Expr::Compare { left, right, .. } | Expr::Arithmetic { left, right, .. } => vec![left, right],
        Expr::TextMatchDynamic { haystack, needle, .. } => vec![haystack, needle],
        Expr::If { condition, then, otherwise } => vec![condition, then, otherwise],
    }
}

/// How large an expression is. Recursion is as deep as the expression, which the binder bounds.
pub(crate) fn weigh(expr: &Expr) -> Weight {
    let own = match expr {
        Expr::Literal(Literal::Text(text, _)) => text.len() / BYTES_PER_NODE,
        Expr::InSet { set, .. } => set.len(),
        Expr::TextMatch(text) => text.needles.iter().map(|needle| needle.len() / BYTES_PER_NODE + 1).sum(),
        _ => 0,
    };
    let mut weight = Weight { nodes: own.saturating_add(1), depth: 0 };
    for operand in operands(expr) {
        let operand = weigh(operand);
        weight.nodes = weight.nodes.saturating_add(operand.nodes);
        weight.depth = weight.depth.max(operand.depth);
    }
    weight.depth = weight.depth.saturating_add(1);
    weight
}

/// How many nodes of an expression become code: all but the columns that are only passed on. Constants are data, as
/// large as they may be.
pub(crate) fn code_nodes(expr: &Expr) -> usize {
    fn all(expr: &Expr) -> usize {
        operands(expr).into_iter().map(all).fold(1, usize::saturating_add)
    }
    if matches!(expr, Expr::Input { .. }) { 0 } else { all(expr) }
}

/// Calls `see` with every column that an expression reads.
pub(crate) fn inputs(expr: &Expr, see: &mut impl FnMut(u32)) {
    match expr {
        Expr::Input { column, .. } | Expr::Exists { column } | Expr::HasValue { column } => see(*column),
        Expr::AnyElement { column, test } => {
            see(*column);
            if let ElementTest::Field { column, .. } = test {
                see(*column);
            }
        }
        _ => {}
    }
    for operand in operands(expr) {
        inputs(operand, see);
    }
}

/// Calls `see` with every column of which an expression asks whether the event has its field.
pub(crate) fn exists(expr: &Expr, see: &mut impl FnMut(u32)) {
    if let Expr::Exists { column } = expr {
        see(*column);
    }
    for operand in operands(expr) {
        exists(operand, see);
    }
}

/// Renumbers the columns that an expression reads.
pub(crate) fn renumber(expr: &mut Expr, number: &impl Fn(u32) -> u32) {
    match expr {
        Expr::Input { column, .. } | Expr::Exists { column } | Expr::HasValue { column } => *column = number(*column),
        Expr::AnyElement { column, test } => {
            *column = number(*column);
            if let ElementTest::Field { column, .. } = test {
                *column = number(*column);
            }
        }
        _ => {}
    }
    for operand in operands_mut(expr) {
        renumber(operand, number);
    }
}
