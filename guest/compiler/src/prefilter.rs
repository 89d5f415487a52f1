//! Derives a prefilter from a kernel's filter: a *necessary* condition for a row to be picked, in a form that the host
//! can index.
//!
//! Every rule below says why what it gives is implied by what it is given: a row that the filter picks must meet the
//! prefilter, while the prefilter may admit rows that the filter drops. Where nothing can be said the answer is "every
//! row". Negation is pushed down, so that two functions are enough: what must hold for an expression to be true, and
//! what must hold for it to be false. A null is neither.

use sandtrap_wit::{
    LogicalType, PhysicalType,
    prefilter::{Atom, Clause, Prefilter, Test},
    text,
};

use crate::ir::{CompareOp, ElementTest, Expr, Literal, MatchKind, Pattern, Piece, Quantifier, TextMatch};

/// How many clauses a prefilter has at most; leaving one out only admits more rows.
const CLAUSES_MAX: usize = 16;
/// How many atoms a clause has at most; a longer clause is left out.
const ATOMS_MAX: usize = 1_024;
/// How many integers an atom lists; a larger set becomes the range from its least to its greatest.
const INTEGERS_MAX: usize = 1_024;

/// What every row that `filter` picks must meet. `reads` says which column of the source each column of the kernel is.
pub fn derive(filter: &Expr, reads: &[u32]) -> Prefilter {
    let derivation = Derivation { reads };
    Prefilter { clauses: derivation.when_true(filter).0 }
}

/// A conjunction of clauses. Without clauses it always holds, with an empty one never.
#[derive(Clone, Debug, PartialEq)]
struct Condition(Vec<Clause>);

impl Condition {
    fn always() -> Self {
        Self(Vec::new())
    }

    fn never() -> Self {
        Self(vec![Clause::default()])
    }

    /// One of these atoms.
    fn any(mut atoms: Vec<Atom>) -> Self {
        atoms.sort();
        atoms.dedup();
        // Too long to be worth indexing: nothing is said instead, which is weaker and so still necessary.
        if atoms.len() > ATOMS_MAX { Self::always() } else { Self(vec![Clause { atoms }]) }
    }

    fn is_always(&self) -> bool {
        self.0.is_empty()
    }

    fn is_never(&self) -> bool {
        self.0.iter().any(|clause| clause.atoms.is_empty())
    }

    /// Both hold: the clauses of both. Past the limit the longest, which say least, are left out.
    fn and(mut self, other: Self) -> Self {
        if self.is_never() || other.is_never() {
            return Self::never();
        }
        for clause in other.0 {
            if !self.0.contains(&clause) {
                self.0.push(clause);
            }
        }
        if self.0.len() > CLAUSES_MAX {
            self.0.sort_by_key(|clause| clause.atoms.len());
            self.0.truncate(CLAUSES_MAX);
        }
        self
    }

    /// One of them holds. (A and B) or C is (A or C) and (B or C); where that would be too many clauses, the shortest
    /// clause stands for its side: it is implied by the side, so the disjunction is still implied.
    fn or(self, other: Self) -> Self {
        if self.is_never() {
            return other;
        }
        if other.is_never() {
            return self;
        }
        let (mut left, mut right) = (self.0, other.0);
        if left.len().saturating_mul(right.len()) > CLAUSES_MAX {
            left = shortest(left);
            right = shortest(right);
        }
        let mut result = Self::always();
        for a in &left {
            for b in &right {
                result = result.and(Self::any(a.atoms.iter().chain(&b.atoms).cloned().collect()));
            }
        }
        result
    }
}

fn shortest(clauses: Vec<Clause>) -> Vec<Clause> {
    clauses.into_iter().min_by_key(|clause| clause.atoms.len()).into_iter().collect()
}

struct Derivation<'a> {
    reads: &'a [u32],
}

impl Derivation<'_> {
    /// What holds whenever `expr` is true. Recursion is as deep as the expression, which the front end bounds.
    fn when_true(&self, expr: &Expr) -> Condition {
        match expr {
            // A constant that is not true is never true.
            Expr::Literal(Literal::Bool(true)) => Condition::always(),
            Expr::Literal(_) => Condition::never(),
            // A boolean column that is true has a value.
            Expr::Input { .. } => self.exists(expr),
            // not(x) is true exactly when x is false.
            Expr::Not(operand) => self.when_false(operand),
            // All are true.
            Expr::And(operands) => all(operands, |operand| self.when_true(operand)),
            // One is true.
            Expr::Or(operands) => any(operands, |operand| self.when_true(operand)),
            Expr::Compare { op, left, right } => self.compare(*op, left, right),
            // A null is in no set, so the cell has a value and it is listed.
            Expr::InSet { value, set } => self.integers(value, set),
            Expr::TextMatch(found) => self.found(found),
            // Text is never null. Other types: the cell has no value.
            Expr::IsNull(operand) if operand.ty() == LogicalType::String => Condition::never(),
            Expr::IsNull(operand) => self.atom_not_text(operand, Test::Exists(false)),
            // A cell without a value is tested as empty text too.
            Expr::IsEmpty(operand) => self.text_atoms(operand, vec![Test::Equals(String::new())]),
            Expr::AnyElement { column, test } => self.element(*column, test),
            Expr::HasValue { column } => self.has_value(*column),
            // An absent cell and a null are alike without a value, so having the field says nothing. The needle is not
            // known, or the value comes out of a calculation.
            _ => Condition::always(),
        }
    }

    /// What holds whenever `expr` is false.
    fn when_false(&self, expr: &Expr) -> Condition {
        match expr {
            Expr::Literal(Literal::Bool(false)) => Condition::always(),
            Expr::Literal(_) => Condition::never(),
            Expr::Input { .. } => self.exists(expr),
            Expr::Not(operand) => self.when_true(operand),
            // A conjunction is false when one operand is, whatever the others are, null included.
            Expr::And(operands) => any(operands, |operand| self.when_false(operand)),
            // A disjunction is false only when all are.
            Expr::Or(operands) => all(operands, |operand| self.when_false(operand)),
            // `!=` is false only of two equal values: one null makes it true, two make it null.
            Expr::Compare { op: CompareOp::NotEqual, left, right } => self.compare(CompareOp::Equal, left, right),
            // An order of integers is null where one is, so where it is false the opposite order is true. `==` is
            // false of every other value and of null: nothing to say.
            Expr::Compare { op, left, right } => match op {
                CompareOp::Less => self.compare(CompareOp::GreaterEqual, left, right),
                CompareOp::LessEqual => self.compare(CompareOp::Greater, left, right),
                CompareOp::Greater => self.compare(CompareOp::LessEqual, left, right),
                CompareOp::GreaterEqual => self.compare(CompareOp::Less, left, right),
                CompareOp::Equal | CompareOp::NotEqual => Condition::always(),
            },
            // The cell has a value.
            Expr::IsNull(operand) => self.atom_not_text(operand, Test::Exists(true)),
            // That there is no value is not said: a text without one may be tested as the empty text. What a text does not have in it cannot be indexed.
            _ => Condition::always(),
        }
    }

    /// A comparison of a column with an integer is true only of a cell with a value in the range it says. (Comparing
    /// reals converts the column, which is not looked through.)
    fn compare(&self, op: CompareOp, left: &Expr, right: &Expr) -> Condition {
        let (column, op, value) = match (left, right) {
            (column, Expr::Literal(Literal::Integer(value, _))) => (column, op, *value),
            (Expr::Literal(Literal::Integer(value, _)), column) => (column, op.mirrored(), *value),
            _ => return Condition::always(),
        };
        let range = match op {
            CompareOp::Equal => Some((value, value)),
            // True of null: nothing to say.
            CompareOp::NotEqual => return Condition::always(),
            CompareOp::Less => value.checked_sub(1).map(|end| (i64::MIN, end)),
            CompareOp::LessEqual => Some((i64::MIN, value)),
            CompareOp::Greater => value.checked_add(1).map(|start| (start, i64::MAX)),
            CompareOp::GreaterEqual => Some((value, i64::MAX)),
        };
        let Some(column) = self.column(column, PhysicalType::Integers) else { return Condition::always() };
        match range {
            Some((low, high)) if low == high => Condition::any(vec![Atom { column, test: Test::Integers(vec![low]) }]),
            Some((low, high)) => Condition::any(vec![Atom { column, test: Test::Range(low, high) }]),
            // Nothing is less than the least integer or greater than the greatest.
            None => Condition::never(),
        }
    }

    fn integers(&self, value: &Expr, set: &[i64]) -> Condition {
        let (Some(least), Some(greatest)) = (set.iter().min(), set.iter().max()) else { return Condition::never() };
        let Some(column) = self.column(value, PhysicalType::Integers) else { return Condition::always() };
        let test = if set.len() > INTEGERS_MAX { Test::Range(*least, *greatest) } else { Test::Integers(set.to_vec()) };
        Condition::any(vec![Atom { column, test }])
    }

    /// A needle that is found is, folded, in the folded text: folding goes character by character, so what lies in a
    /// text before folding lies at the same place after. That holds for a search that folds as for one that does not.
    /// A term is contained; its boundaries are left to the kernel.
    fn found(&self, found: &TextMatch) -> Condition {
        let test = |needle: &String| {
            let needle = text::fold(needle);
            match found.kind {
                MatchKind::Equals => Some(Test::Equals(needle)),
                // The empty needle is found everywhere.
                _ if needle.is_empty() => None,
                MatchKind::StartsWith => Some(Test::Prefix(needle)),
                MatchKind::EndsWith => Some(Test::Suffix(needle)),
                MatchKind::Contains | MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => {
                    Some(Test::Contains(needle))
                }
            }
        };
        match found.quantifier {
            // One needle is found: of none never, and if one is found everywhere, always.
            Quantifier::Any => match found.needles.iter().map(test).collect::<Option<Vec<Test>>>() {
                Some(tests) if tests.is_empty() => Condition::never(),
                Some(tests) => self.text_atoms(&found.haystack, tests),
                None => Condition::always(),
            },
            // All needles are found: one clause each.
            Quantifier::All => found
                .needles
                .iter()
                .filter_map(test)
                .map(|test| self.text_atoms(&found.haystack, vec![test]))
                .fold(Condition::always(), Condition::and),
        }
    }

    /// One of these tests on a text column. Dynamic values are text too, and the host tests them as such.
    fn text_atoms(&self, haystack: &Expr, tests: Vec<Test>) -> Condition {
        match self.column(haystack, PhysicalType::Text) {
            Some(column) => Condition::any(tests.into_iter().map(|test| Atom { column, test }).collect()),
            None => Condition::always(),
        }
    }

    /// What an element that passes says of the row: it is there, so the row has a value, and text that must be in it is.
    /// Both go with every element, and in a column of lists an atom is about any of them.
    fn element(&self, column: u32, test: &ElementTest) -> Condition {
        let tests = match test {
            ElementTest::Wildcards { patterns, .. } => patterns.iter().map(pattern_atom).collect(),
            ElementTest::Regex(regex) => match regex.required_literals() {
                Some(literals) => literals.into_iter().map(Test::Contains).collect(),
                None => vec![Test::Exists(true)],
            },
            ElementTest::Cidr(_) | ElementTest::Number { .. } => vec![Test::Exists(true)],
            ElementTest::Field { column: other, .. } => {
                return self.has_value(column).and(self.has_value(*other));
            }
        };
        match self.reads.get(column as usize) {
            Some(column) => Condition::any(tests.into_iter().map(|test| Atom { column: *column, test }).collect()),
            None => Condition::always(),
        }
    }

    /// A cell of any type has a value. Where a text without one is tested as the empty text, that holds, too.
    fn has_value(&self, column: u32) -> Condition {
        match self.reads.get(column as usize) {
            Some(column) => Condition::any(vec![Atom { column: *column, test: Test::Exists(true) }]),
            None => Condition::always(),
        }
    }

    /// A cell that has a value.
    fn exists(&self, expr: &Expr) -> Condition {
        self.atom_not_text(expr, Test::Exists(true))
    }

    /// A test of whether a cell has a value. A text without one may be tested as the empty text, so it says nothing.
    fn atom_not_text(&self, expr: &Expr, test: Test) -> Condition {
        match self.column(expr, expr.physical()) {
            Some(column) if expr.physical() != PhysicalType::Text => Condition::any(vec![Atom { column, test }]),
            _ => Condition::always(),
        }
    }

    /// The source's column that an expression is, seen through conversions that keep value and null.
    fn column(&self, expr: &Expr, physical: PhysicalType) -> Option<u32> {
        match expr {
            Expr::Input { column, ty } if ty.physical() == physical => self.reads.get(*column as usize).copied(),
            Expr::Convert { value, ty } if ty.physical() == physical && value.physical() == physical => {
                self.column(value, physical)
            }
            _ => None,
        }
    }
}

/// What a text that a pattern describes has in it: the literal that it is, or starts or ends with, or the longest one.
/// Folded, it lies in the folded text as it does in the text.
fn pattern_atom(pattern: &Pattern) -> Test {
    let folded = |text: &String| text::fold(text);
    let literals = pattern.0.iter().filter_map(|piece| match piece {
        Piece::Literal(text) if !text.is_empty() => Some(text),
        _ => None,
    });
    let Some(longest) = literals.max_by_key(|text| text.len()) else {
        let is_empty = pattern.0.iter().all(|piece| matches!(piece, Piece::Literal(_)));
        return if is_empty { Test::Equals(String::new()) } else { Test::Exists(true) };
    };
    match pattern.0.as_slice() {
        [Piece::Literal(only)] => Test::Equals(folded(only)),
        [Piece::Literal(first), ..] if first == longest => Test::Prefix(folded(first)),
        [.., Piece::Literal(last)] if last == longest => Test::Suffix(folded(last)),
        _ => Test::Contains(folded(longest)),
    }
}

fn all(operands: &[Expr], condition: impl Fn(&Expr) -> Condition) -> Condition {
    operands.iter().map(condition).fold(Condition::always(), Condition::and)
}

/// A disjunction that one side always meets says nothing, so the rest need not be looked at.
fn any(operands: &[Expr], condition: impl Fn(&Expr) -> Condition) -> Condition {
    let mut result = Condition::never();
    for operand in operands {
        result = result.or(condition(operand));
        if result.is_always() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_column(column: u32) -> Expr {
        Expr::Input { column, ty: LogicalType::String }
    }

    fn number_column(column: u32) -> Expr {
        Expr::Input { column, ty: LogicalType::Long }
    }

    fn search(column: u32, needles: &[&str], kind: MatchKind, quantifier: Quantifier) -> Expr {
        let needles = needles.iter().map(ToString::to_string).collect();
        Expr::TextMatch(TextMatch { haystack: Box::new(text_column(column)), needles, kind, fold: true, quantifier })
    }

    fn has(column: u32, needle: &str) -> Expr {
        search(column, &[needle], MatchKind::Term, Quantifier::Any)
    }

    fn compare(op: CompareOp, column: u32, value: i64) -> Expr {
        let right = Box::new(Expr::Literal(Literal::Integer(value, LogicalType::Long)));
        Expr::Compare { op, left: Box::new(number_column(column)), right }
    }

    fn not(expr: Expr) -> Expr {
        Expr::Not(Box::new(expr))
    }

    /// The prefilter as text: `0~kvm` contains, `^` starts, `$` ends, `=` equals, `?` exists, `#` integers, `[]` range.
    fn shown(expr: &Expr) -> String {
        let prefilter = derive(expr, &[0, 1, 2, 3]);
        if prefilter.is_always() {
            return "always".into();
        }
        let atom = |atom: &Atom| {
            let column = atom.column;
            match &atom.test {
                Test::Contains(text) => format!("{column}~{text}"),
                Test::Prefix(text) => format!("{column}^{text}"),
                Test::Suffix(text) => format!("{column}${text}"),
                Test::Equals(text) => format!("{column}={text}"),
                Test::Exists(wanted) => format!("{column}?{wanted}"),
                Test::Integers(set) => format!("{column}#{set:?}"),
                Test::Range(low, high) => format!("{column}[{low}..{high}]"),
            }
        };
        let clauses = prefilter.clauses.iter().map(|clause| {
            let atoms: Vec<String> = clause.atoms.iter().map(atom).collect();
            if atoms.is_empty() { "never".into() } else { atoms.join(" or ") }
        });
        clauses.collect::<Vec<_>>().join(" and ")
    }

    #[test]
    fn says_what_a_filter_implies_and_no_more() {
        use CompareOp::{Equal, GreaterEqual, Less, NotEqual};
        use MatchKind::{Contains, EndsWith, Equals, StartsWith, Term, TermPrefix};
        use Quantifier::{All, Any};
        let null = Expr::null(LogicalType::Bool);
        for (filter, expected) in [
            (has(0, "KVM"), "0~kvm"),
            (search(0, &["É.exe", "b"], StartsWith, Any), "0^b or 0^é.exe"),
            (search(0, &["a", "b"], EndsWith, All), "0$a and 0$b"),
            (search(0, &["a", ""], Contains, Any), "always"),
            (search(0, &["a", ""], Contains, All), "0~a"),
            (search(0, &[], Term, Any), "never"),
            (search(0, &[], Term, All), "always"),
            (search(0, &[""], Equals, Any), "0="),
            (search(0, &["x"], TermPrefix, Any), "0~x"),
            (not(has(0, "kvm")), "always"),
            (Expr::And(vec![has(0, "a"), not(has(1, "b")), has(2, "c")]), "0~a and 2~c"),
            (Expr::Or(vec![has(0, "a"), has(1, "b")]), "0~a or 1~b"),
            (Expr::Or(vec![has(0, "a"), not(has(1, "b"))]), "always"),
            (Expr::Or(vec![Expr::And(vec![has(0, "a"), has(1, "b")]), has(2, "c")]), "0~a or 2~c and 1~b or 2~c"),
            // not(not a and not b) is a or b.
            (not(Expr::And(vec![not(has(0, "a")), not(has(1, "b"))])), "0~a or 1~b"),
            (Expr::Or(vec![]), "never"),
            (Expr::And(vec![]), "always"),
            (null.clone(), "never"),
            (not(null.clone()), "never"),
            (Expr::Or(vec![null, has(0, "a")]), "0~a"),
            (compare(Equal, 1, 5), "1#[5]"),
            // A null is unequal to 5.
            (compare(NotEqual, 1, 5), "always"),
            (not(compare(Equal, 1, 5)), "always"),
            (not(compare(NotEqual, 1, 5)), "1#[5]"),
            (compare(Less, 1, 5), "1[-9223372036854775808..4]"),
            (not(compare(Less, 1, 5)), "1[5..9223372036854775807]"),
            (compare(Less, 1, i64::MIN), "never"),
            (compare(GreaterEqual, 1, i64::MAX), "1#[9223372036854775807]"),
            (Expr::InSet { value: Box::new(number_column(1)), set: vec![1, 7] }, "1#[1, 7]"),
            (not(Expr::InSet { value: Box::new(number_column(1)), set: vec![1, 7] }), "always"),
            (Expr::InSet { value: Box::new(number_column(1)), set: vec![] }, "never"),
            (Expr::IsNull(Box::new(number_column(1))), "1?false"),
            (not(Expr::IsNull(Box::new(number_column(1)))), "1?true"),
            (Expr::IsNull(Box::new(text_column(1))), "never"),
            (not(Expr::IsNull(Box::new(text_column(1)))), "always"),
            (Expr::IsEmpty(Box::new(text_column(1))), "1="),
            (not(Expr::IsEmpty(Box::new(text_column(1)))), "always"),
        ] {
            assert_eq!(shown(&filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn says_what_an_element_that_passes_implies() {
        use crate::regex::{Flags, Regex};
        let any = |test| Expr::AnyElement { column: 0, test };
        let literal = |text: &str| Piece::Literal(text.into());
        let wildcards = |patterns: Vec<Vec<Piece>>| {
            any(ElementTest::Wildcards { patterns: patterns.into_iter().map(Pattern).collect(), fold: false })
        };
        let regex = |pattern| any(ElementTest::Regex(Regex::new(pattern, Flags::default()).expect(pattern)));
        let network = crate::ir::Network { address: [10, 0, 0, 0].into(), prefix: 8 };
        for (filter, expected) in [
            (wildcards(vec![vec![literal("A"), Piece::AnyText, literal("Bcd"), Piece::AnyCharacter]]), "0~bcd"),
            (wildcards(vec![vec![literal("Abc"), Piece::AnyText, literal("d")]]), "0^abc"),
            (wildcards(vec![vec![literal("a"), Piece::AnyText, literal("bcD")]]), "0$bcd"),
            (wildcards(vec![vec![literal("É")]]), "0=é"),
            (wildcards(vec![vec![]]), "0="),
            (wildcards(vec![]), "never"),
            (wildcards(vec![vec![Piece::AnyText]]), "0?true"),
            (wildcards(vec![vec![literal("a"), Piece::AnyText], vec![Piece::AnyCharacter]]), "0^a or 0?true"),
            (regex("ipconfig\\s+/all"), "0~ipconfig"),
            (regex("(?i)CMD|wmic"), "0~cmd or 0~wmic"),
            (regex(".*"), "0?true"),
            (any(ElementTest::Cidr(vec![network])), "0?true"),
            (any(ElementTest::Number { op: CompareOp::Less, value: 1.0 }), "0?true"),
            (any(ElementTest::Field { column: 2, kind: MatchKind::Equals, fold: true }), "0?true and 2?true"),
            (not(any(ElementTest::Cidr(vec![network]))), "always"),
            (Expr::HasValue { column: 1 }, "1?true"),
            (not(Expr::HasValue { column: 1 }), "always"),
            // A null is there, without a value.
            (Expr::Exists { column: 1 }, "always"),
            (not(Expr::Exists { column: 1 }), "always"),
        ] {
            assert_eq!(shown(&filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn columns_are_the_source_s() {
        assert_eq!(derive(&has(1, "a"), &[4, 9]).clauses[0].atoms[0].column, 9);
    }

    #[test]
    fn a_large_disjunction_of_conjunctions_stays_small() {
        let pair = |n: u32| Expr::And((0..4).map(|m| has(n * 4 + m, "a")).collect());
        let reads: Vec<u32> = (0..400).collect();
        let prefilter = derive(&Expr::Or((0..100).map(pair).collect()), &reads);
        assert!(!prefilter.is_always() && prefilter.clauses.len() <= CLAUSES_MAX);
        assert!(prefilter.clauses.iter().all(|clause| clause.atoms.len() >= 100), "each conjunction has its part");
    }
}
