//! What must hold of a row for an expression to be true, and what for it to be false. Negation is pushed down, so these
//! two are enough. A null is neither.

use sandtrap_wit::{
    LogicalType, PhysicalType,
    prefilter::{Atom, Test},
    text,
};

use super::condition::Condition;
use crate::ir::{CompareOp, Expr, Function, Input, Literal, MatchKind, Quantifier, TextMatch};

/// How many integers an atom lists; a larger set becomes the range from its least to its greatest.
pub(super) const INTEGERS_MAX: usize = 1_024;

/// A filter's kernel.
pub(super) struct Derivation<'a> {
    /// Its columns.
    pub(super) inputs: &'a [Input],
    /// Which column of the source each of them is.
    pub(super) reads: &'a [u32],
}

impl Derivation<'_> {
    /// What holds whenever `expr` is true. Recursion is as deep as the expression, which the front end bounds.
    pub(super) fn when_true(&self, expr: &Expr) -> Condition {
        match expr {
            // A constant that is not true is never true.
            Expr::Literal(Literal::Bool(true)) => Condition::always(),
            Expr::Literal(_) => Condition::never(),
            // A boolean column that is true has a value.
            Expr::Input { .. } => self.not_null(expr),
            // not(x) is true exactly when x is false.
            Expr::Not(operand) => self.when_false(operand),
            // All are true.
            Expr::And(operands) => Condition::all(operands.iter().map(|operand| self.when_true(operand))),
            // One is true.
            Expr::Or(operands) => Condition::any(operands.iter().map(|operand| self.when_true(operand))),
            Expr::Compare { op, left, right } => self.compare(*op, left, right),
            // A null is in no set, so the cell has a value and it is listed.
            Expr::InSet { value, set } => self.integers(value, set),
            Expr::TextMatch(found) => self.found(found),
            // Text is never null. Other types: the cell has no value.
            Expr::IsNull(operand) if operand.ty() == LogicalType::String => Condition::never(),
            Expr::IsNull(operand) => self.cell_is_null(operand),
            // A cell without a value is tested as empty text too.
            Expr::IsEmpty(operand) => self.text_atoms(operand, vec![Test::Equals(String::new())]),
            Expr::AnyElement { column, test } => self.element(*column, test),
            Expr::HasValue { column } => self.has_value(*column),
            // The one that is chosen is true.
            Expr::If { condition, then, otherwise } => Condition::any([
                Condition::all([self.when_true(condition), self.when_true(then)]),
                self.when_true(otherwise),
            ]),
            // An absent cell and a null are alike without a value, so having the field says nothing. The needle is not
            // known, or the value comes out of a calculation.
            _ => Condition::always(),
        }
    }

    /// What holds whenever `expr` is false.
    pub(super) fn when_false(&self, expr: &Expr) -> Condition {
        match expr {
            Expr::Literal(Literal::Bool(false)) => Condition::always(),
            Expr::Literal(_) => Condition::never(),
            Expr::Input { .. } => self.not_null(expr),
            Expr::Not(operand) => self.when_true(operand),
            // A conjunction is false when one operand is, whatever the others are, null included.
            Expr::And(operands) => Condition::any(operands.iter().map(|operand| self.when_false(operand))),
            // A disjunction is false only when all are.
            Expr::Or(operands) => Condition::all(operands.iter().map(|operand| self.when_false(operand))),
            // `!=` is false only of two equal values: one null makes it true, two make it null.
            Expr::Compare { op: CompareOp::NotEqual, left, right } => self.compare(CompareOp::Equal, left, right),
            // `==` is false of every other value and of null, as `!=` is true.
            Expr::Compare { op: CompareOp::Equal, left, right } => self.compare(CompareOp::NotEqual, left, right),
            // An order of integers is null where one is, so where it is false the opposite order is true.
            Expr::Compare { op, left, right } => match opposite(*op) {
                Some(opposite) if left.physical() == PhysicalType::Integers => self.compare(opposite, left, right),
                Some(_) => self.both_not_null(left, right),
                None => Condition::always(),
            },
            // The cell has a value.
            Expr::IsNull(operand) => self.not_null(operand),
            Expr::If { condition, then, otherwise } => Condition::any([
                Condition::all([self.when_true(condition), self.when_false(then)]),
                self.when_false(otherwise),
            ]),
            // A cell that is absent has no value either.
            Expr::HasValue { column } | Expr::Exists { column } => self.has_no_value(*column),
            // A null is in no set.
            Expr::InSet { value, set } => self.none_of(value, set),
            Expr::TextMatch(found) => self.not_found(found),
            // A cell without a value is tested as empty text too.
            Expr::IsEmpty(operand) => self.not_empty(operand),
            Expr::AnyElement { column, test } => self.no_element(*column, test),
            // The needle is not known, or the value comes out of a calculation.
            _ => Condition::always(),
        }
    }

    /// A comparison of a column with an integer is true only of a cell with a value in the range it says. Of other
    /// operands, that they are not null; unless it is `!=`, which is true of every other value and of null.
    fn compare(&self, op: CompareOp, left: &Expr, right: &Expr) -> Condition {
        let (column, op, value) = match (left, right) {
            (column, Expr::Literal(Literal::Integer(value, _))) => (column, op, *value),
            (Expr::Literal(Literal::Integer(value, _)), column) => (column, op.mirrored(), *value),
            _ if op == CompareOp::NotEqual => return Condition::always(),
            _ => return self.both_not_null(left, right),
        };
        let range = match op {
            CompareOp::NotEqual => return self.none_of(column, &[value]),
            CompareOp::Equal => Some((value, value)),
            CompareOp::Less => value.checked_sub(1).map(|end| (i64::MIN, end)),
            CompareOp::LessEqual => Some((i64::MIN, value)),
            CompareOp::Greater => value.checked_add(1).map(|start| (start, i64::MAX)),
            CompareOp::GreaterEqual => Some((value, i64::MAX)),
        };
        let Some(at) = self.column(column, PhysicalType::Integers) else { return self.not_null(column) };
        match range {
            Some((low, high)) if low == high => Condition::atom(Atom::new(at, Test::Integers(vec![low]))),
            Some((low, high)) => Condition::atom(Atom::new(at, Test::Range(low, high))),
            // Nothing is less than the least integer or greater than the greatest.
            None => Condition::never(),
        }
    }

    fn integers(&self, value: &Expr, set: &[i64]) -> Condition {
        let (Some(least), Some(greatest)) = (set.iter().min(), set.iter().max()) else { return Condition::never() };
        let Some(column) = self.column(value, PhysicalType::Integers) else { return self.not_null(value) };
        let test = if set.len() > INTEGERS_MAX { Test::Range(*least, *greatest) } else { Test::Integers(set.to_vec()) };
        Condition::atom(Atom::new(column, test))
    }

    /// A needle that is found is, folded, in the folded text: folding goes character by character, so what lies in a
    /// text before folding lies at the same place after. That holds for a search that folds as for one that does not.
    /// A term is contained; its boundaries are left to the kernel.
    fn found(&self, found: &TextMatch) -> Condition {
        let one = |needle: &String| {
            let needle = text::fold(needle);
            let test = match found.kind {
                MatchKind::Equals => Test::Equals(needle),
                // The empty needle is found in every text, and in every list with an element.
                _ if needle.is_empty() => return self.has_text(&found.haystack),
                MatchKind::StartsWith => Test::Prefix(needle),
                MatchKind::EndsWith => Test::Suffix(needle),
                MatchKind::Contains | MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => {
                    Test::Contains(needle)
                }
            };
            self.text_atoms(&found.haystack, vec![test])
        };
        match found.quantifier {
            // One needle is found: of none never. All conditions are single clauses, so that many needles are one.
            Quantifier::Any => Condition::any(found.needles.iter().map(one)),
            // All needles are found.
            Quantifier::All => Condition::all(found.needles.iter().map(one)),
        }
    }

    /// One of these tests on a text column. Dynamic values are text too, and the host tests them as such.
    fn text_atoms(&self, haystack: &Expr, tests: Vec<Test>) -> Condition {
        match self.column(haystack, PhysicalType::Text) {
            Some(column) => Condition::one_of(tests.into_iter().map(|test| Atom::new(column, test)).collect()),
            None => Condition::always(),
        }
    }

    /// A text that is there: an element of a list. Text that is no list always is.
    fn has_text(&self, haystack: &Expr) -> Condition {
        match haystack {
            Expr::Input { column, .. } => self.has_value(*column),
            _ => Condition::always(),
        }
    }

    /// A cell of any type has a value. Of text that is no list that says nothing: without a value it is the empty text.
    pub(super) fn has_value(&self, column: u32) -> Condition {
        match (self.inputs.get(column as usize), self.source_column(column)) {
            (Some(input), Some(column)) if input.list || input.ty.physical() != PhysicalType::Text => {
                Condition::atom(Atom::new(column, Test::Exists(true)))
            }
            _ => Condition::always(),
        }
    }

    /// A cell has no value. Text that is no list is tested as the empty text then.
    fn has_no_value(&self, column: u32) -> Condition {
        let (Some(input), Some(at)) = (self.inputs.get(column as usize), self.source_column(column)) else {
            return Condition::always();
        };
        let is_text = !input.list && input.ty.physical() == PhysicalType::Text;
        let test = if is_text { Test::Equals(String::new()) } else { Test::Exists(false) };
        Condition::atom(Atom::new(at, test))
    }

    /// The value of an expression is not null: no column that it is calculated from may be, where a null makes a null.
    fn not_null(&self, expr: &Expr) -> Condition {
        match expr {
            Expr::Literal(Literal::Null(ty)) if *ty != LogicalType::String => Condition::never(),
            Expr::Input { column, .. } => self.has_value(*column),
            Expr::Convert { value, .. } => self.not_null(value),
            Expr::Arithmetic { left, right, .. } => self.both_not_null(left, right),
            Expr::Call { function: Function::DatePart(_), arguments } => {
                Condition::all(arguments.iter().map(|argument| self.not_null(argument)))
            }
            _ => Condition::always(),
        }
    }

    fn both_not_null(&self, left: &Expr, right: &Expr) -> Condition {
        Condition::all([self.not_null(left), self.not_null(right)])
    }

    /// A cell without a value. Text without one may be tested as the empty text, so it says nothing.
    fn cell_is_null(&self, expr: &Expr) -> Condition {
        match self.column(expr, expr.physical()) {
            Some(column) if expr.physical() != PhysicalType::Text => {
                Condition::atom(Atom::new(column, Test::Exists(false)))
            }
            _ => Condition::always(),
        }
    }

    /// The source's column that an expression is, seen through conversions that keep value and null.
    pub(super) fn column(&self, expr: &Expr, physical: PhysicalType) -> Option<u32> {
        match expr {
            Expr::Input { column, ty } if ty.physical() == physical => self.source_column(*column),
            Expr::Convert { value, ty } if ty.physical() == physical && value.physical() == physical => {
                self.column(value, physical)
            }
            _ => None,
        }
    }

    /// The source's column that a column of the kernel is.
    pub(super) fn source_column(&self, column: u32) -> Option<u32> {
        self.reads.get(column as usize).copied()
    }
}

/// The order that holds where this one is false and nothing is null. Of reals that is not so: a NaN is in no order.
fn opposite(op: CompareOp) -> Option<CompareOp> {
    match op {
        CompareOp::Less => Some(CompareOp::GreaterEqual),
        CompareOp::LessEqual => Some(CompareOp::Greater),
        CompareOp::Greater => Some(CompareOp::LessEqual),
        CompareOp::GreaterEqual => Some(CompareOp::Less),
        CompareOp::Equal | CompareOp::NotEqual => None,
    }
}
