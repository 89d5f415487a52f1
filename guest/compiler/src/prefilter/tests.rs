//! What filters imply, as tables.

use sandtrap_wit::{
    LogicalType,
    prefilter::{Atom, Test},
};

use super::*;
use crate::ir::{
    CompareOp, DatePart, ElementTest, Function, Literal, MatchKind, Pattern, Piece, Quantifier, TextMatch,
};

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

fn contains(column: u32, needle: &str) -> Expr {
    search(column, &[needle], MatchKind::Contains, Quantifier::Any)
}

fn cased(column: u32, needle: &str) -> Expr {
    match contains(column, needle) {
        Expr::TextMatch(found) => Expr::TextMatch(TextMatch { fold: false, ..found }),
        other => other,
    }
}

fn compare(op: CompareOp, column: u32, value: i64) -> Expr {
    let right = Box::new(Expr::Literal(Literal::Integer(value, LogicalType::Long)));
    Expr::Compare { op, left: Box::new(number_column(column)), right }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// The hour of the time in column 5.
fn hour() -> Expr {
    let time = Expr::Input { column: 5, ty: LogicalType::Datetime };
    Expr::Call { function: Function::DatePart(DatePart::Hour), arguments: vec![time] }
}

fn of_hour(op: CompareOp, value: i64) -> Expr {
    let right = Box::new(Expr::Literal(Literal::Integer(value, LogicalType::Long)));
    Expr::Compare { op, left: Box::new(hour()), right }
}

fn hour_in(set: Vec<i64>) -> Expr {
    Expr::InSet { value: Box::new(hour()), set }
}

fn compare_real(op: CompareOp) -> Expr {
    let left = Box::new(Expr::Input { column: 4, ty: LogicalType::Real });
    Expr::Compare { op, left, right: Box::new(Expr::Literal(Literal::Real(1.5))) }
}

fn iff(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) }
}

/// Plain columns as KQL has them: a text, a number, two texts, a real and a time.
const PLAIN: [LogicalType; 6] = [
    LogicalType::String,
    LogicalType::Long,
    LogicalType::String,
    LogicalType::String,
    LogicalType::Real,
    LogicalType::Datetime,
];

fn plain() -> Vec<Input> {
    PLAIN.iter().map(|ty| Input { ty: *ty, list: false }).collect()
}

/// Lists of texts, as Sigma has them.
fn lists() -> Vec<Input> {
    vec![Input { ty: LogicalType::String, list: true }; PLAIN.len()]
}

/// The prefilter as text: `!` not, `0~kvm` contains, `^` starts, `$` ends, `=` equals, `?` exists, `#` integers, `[]` range.
fn shown(expr: &Expr, inputs: &[Input]) -> String {
    let prefilter = derive(expr, inputs, &[0, 1, 2, 3, 4, 5]);
    if prefilter.is_always() {
        return "always".into();
    }
    let atom = |atom: &Atom| {
        let column = format!("{}{}", if atom.negated { "!" } else { "" }, atom.column);
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
    let mut wrong = Vec::new();
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
        // Of a term, where it lies in the text does not say that it is one.
        (not(has(0, "kvm")), "always"),
        (not(search(0, &["x"], TermPrefix, Any)), "always"),
        (not(search(0, &["KVM", "psexec"], Contains, Any)), "!0~kvm and !0~psexec"),
        (not(search(0, &["É.exe", "b"], StartsWith, Any)), "!0^b and !0^é.exe"),
        (not(search(0, &["a", "b"], EndsWith, All)), "!0$a or !0$b"),
        (not(search(0, &["a"], Equals, Any)), "!0=a"),
        (not(search(0, &[""], Contains, Any)), "!0~"),
        (not(search(0, &[], Contains, Any)), "always"),
        (not(search(0, &[], Contains, All)), "never"),
        (not(cased(0, "kvm")), "always"),
        (not(not(cased(0, "kvm"))), "0~kvm"),
        // What is ruled out comes last, whatever is rare.
        (Expr::And(vec![not(contains(1, "b")), Expr::IsNull(Box::new(number_column(1)))]), "1?false and !1~b"),
        (Expr::Or(vec![has(0, "a"), not(contains(1, "b"))]), "0~a or !1~b"),
        (not(Expr::And(vec![contains(0, "a"), contains(1, "b")])), "!0~a or !1~b"),
        (
            not(Expr::And(vec![contains(0, "a"), search(1, &["b", "c"], Contains, Any)])),
            "!0~a or !1~b and !0~a or !1~c",
        ),
        (
            Expr::Or(vec![Expr::And(vec![has(0, "a"), not(contains(1, "b"))]), has(2, "c")]),
            "0~a or 2~c and !1~b or 2~c",
        ),
        // Half of a condition that says nothing says nothing.
        (Expr::Or(vec![not(contains(1, "b")), not(has(1, "c"))]), "always"),
        // A shorter text is missing only where the longer one is, too.
        (not(search(0, &["psexec", "psexec64"], Contains, Any)), "!0~psexec"),
        (not(search(0, &["psexec", "psexec64"], Contains, All)), "!0~psexec64"),
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
        (compare(NotEqual, 1, 5), "!1#[5]"),
        (not(compare(Equal, 1, 5)), "!1#[5]"),
        (not(compare(NotEqual, 1, 5)), "1#[5]"),
        (compare(Less, 1, 5), "1[-9223372036854775808..4]"),
        (not(compare(Less, 1, 5)), "1[5..9223372036854775807]"),
        (compare(Less, 1, i64::MIN), "never"),
        (compare(GreaterEqual, 1, i64::MAX), "1#[9223372036854775807]"),
        (Expr::InSet { value: Box::new(number_column(1)), set: vec![1, 7] }, "1#[1, 7]"),
        (not(Expr::InSet { value: Box::new(number_column(1)), set: vec![1, 7] }), "!1#[1, 7]"),
        // As a range it would rule out what is between.
        (not(Expr::InSet { value: Box::new(number_column(1)), set: (0..2_000).collect() }), "always"),
        (not(hour_in(vec![1, 2])), "always"),
        (Expr::InSet { value: Box::new(number_column(1)), set: vec![] }, "never"),
        (Expr::IsNull(Box::new(number_column(1))), "1?false"),
        (not(Expr::IsNull(Box::new(number_column(1)))), "1?true"),
        (Expr::IsNull(Box::new(text_column(0))), "never"),
        (not(Expr::IsNull(Box::new(text_column(0)))), "always"),
        (Expr::IsEmpty(Box::new(text_column(1))), "1="),
        (not(Expr::IsEmpty(Box::new(text_column(1)))), "!1="),
        // Text without a value is tested as the empty text.
        (not(Expr::HasValue { column: 0 }), "0="),
        (not(Expr::HasValue { column: 1 }), "1?false"),
        (Expr::HasValue { column: 0 }, "always"),
        // What is calculated from a null is null.
        (of_hour(CompareOp::Equal, 3), "5?true"),
        (of_hour(CompareOp::NotEqual, 3), "always"),
        (not(of_hour(CompareOp::Less, 3)), "5?true"),
        (not(of_hour(CompareOp::Equal, 3)), "always"),
        (hour_in(vec![1, 2]), "5?true"),
        (compare_real(CompareOp::Less), "4?true"),
        (not(compare_real(CompareOp::Less)), "4?true"),
        (not(compare_real(CompareOp::Equal)), "always"),
        // The one that is chosen is true.
        (iff(has(0, "kvm"), Expr::Literal(Literal::Bool(true)), Expr::Literal(Literal::Bool(false))), "0~kvm"),
        (iff(has(0, "kvm"), has(2, "psexec"), has(3, "dsquery")), "2~psexec or 3~dsquery and 0~kvm or 3~dsquery"),
        (not(iff(has(0, "kvm"), has(2, "psexec"), Expr::Literal(Literal::Bool(true)))), "0~kvm"),
        // Both say the same of column 0: that is said once, and the rest is not lost.
        (
            Expr::Or(vec![
                Expr::And(vec![has(0, "powershell"), has(2, "-enc")]),
                Expr::And(vec![has(0, "powershell"), has(2, "-nop")]),
            ]),
            "2~-enc or 2~-nop and 0~powershell",
        ),
        // A longer text has the shorter one in it.
        (Expr::Or(vec![has(0, "psexec"), has(0, "psexec64")]), "0~psexec"),
        (Expr::And(vec![has(0, "psexec"), has(0, "psexec64")]), "0~psexec64"),
    ] {
        let given = shown(&filter, &plain());
        if given != expected {
            wrong.push(format!("{filter:?}\n  {given}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "given, expected:\n{}", wrong.join("\n"));
}

#[test]
fn says_what_an_element_that_passes_implies() {
    use crate::regex::{Flags, Regex};
    let mut wrong = Vec::new();
    let any = |test| Expr::AnyElement { column: 0, test };
    let literal = |text: &str| Piece::Literal(text.into());
    let wildcards = |patterns: Vec<Vec<Piece>>| {
        any(ElementTest::Wildcards { patterns: patterns.into_iter().map(Pattern).collect(), fold: false })
    };
    let folded = |patterns: Vec<Vec<Piece>>| {
        any(ElementTest::Wildcards { patterns: patterns.into_iter().map(Pattern).collect(), fold: true })
    };
    let regex = |pattern| any(ElementTest::Regex(Regex::new(pattern, Flags::default()).expect(pattern)));
    let network = crate::ir::Network { address: [10, 0, 0, 0].into(), prefix: 8 };
    for (filter, expected) in [
        (wildcards(vec![vec![literal("A"), Piece::AnyText, literal("Bcd"), Piece::AnyCharacter]]), "0~bcd and 0^a"),
        (wildcards(vec![vec![literal("Abc"), Piece::AnyText, literal("d")]]), "0^abc and 0$d"),
        (wildcards(vec![vec![literal("a"), Piece::AnyText, literal("bcD")]]), "0$bcd and 0^a"),
        (wildcards(vec![vec![literal("É")]]), "0=é"),
        (wildcards(vec![vec![]]), "0="),
        (wildcards(vec![]), "never"),
        (wildcards(vec![vec![Piece::AnyText]]), "0?true"),
        (wildcards(vec![vec![literal("a"), Piece::AnyText], vec![Piece::AnyCharacter]]), "0?true"),
        (regex("ipconfig\\s+/all"), "0~ipconfig and 0~/all"),
        (regex("(?i)CMD|wmic"), "0~cmd or 0~wmic"),
        (regex(".*"), "0?true"),
        (any(ElementTest::Cidr(vec![network])), "0~ffff: or 0^10."),
        (any(ElementTest::Number { op: CompareOp::Less, value: 1.0 }), "0?true"),
        (any(ElementTest::Field { column: 2, kind: MatchKind::Equals, fold: true }), "2?true and 0?true"),
        (not(any(ElementTest::Cidr(vec![network]))), "always"),
        (not(regex("^(net|sc)\\.exe$")), "always"),
        (not(any(ElementTest::Number { op: CompareOp::Less, value: 1.0 })), "always"),
        (not(any(ElementTest::Field { column: 2, kind: MatchKind::Equals, fold: true })), "always"),
        (not(wildcards(vec![vec![literal("abc"), Piece::AnyText]])), "always"),
        (not(folded(vec![vec![literal("Abc"), Piece::AnyText]])), "!0^abc"),
        (not(folded(vec![vec![Piece::AnyText, literal("Ab"), literal("C")]])), "!0$abc"),
        (not(folded(vec![vec![Piece::AnyText, literal("Abc"), Piece::AnyText]])), "!0~abc"),
        (not(folded(vec![vec![literal("Abc")]])), "!0=abc"),
        (not(folded(vec![vec![]])), "!0="),
        (not(folded(vec![vec![Piece::AnyText]])), "!0~"),
        (not(folded(vec![vec![literal("a"), Piece::AnyCharacter]])), "always"),
        // A text that starts and ends so may be too short to do both.
        (not(folded(vec![vec![literal("ab"), Piece::AnyText, literal("bc")], vec![literal("x")]])), "!0=x"),
        (not(search(0, &["kvm"], MatchKind::Contains, Quantifier::Any)), "!0~kvm"),
        // Every part of a pattern; where several patterns are alternatives, the rarest of each, the next, and so on.
        (
            wildcards(vec![vec![Piece::AnyText, literal("whoami"), Piece::AnyText, literal("groups"), Piece::AnyText]]),
            "0~whoami and 0~groups",
        ),
        (
            wildcards(vec![
                vec![literal("net"), Piece::AnyText, literal("localgroup")],
                vec![Piece::AnyText, literal("dsquery"), Piece::AnyText],
            ]),
            "0~dsquery or 0$localgroup and 0~dsquery or 0^net",
        ),
        (regex("^(net|sc)\\.exe$"), "0^net.exe or 0^sc.exe and 0$net.exe or 0$sc.exe"),
        // An empty needle is found in any element.
        (search(0, &[""], MatchKind::Contains, Quantifier::Any), "0?true"),
        (search(0, &["", "kvm"], MatchKind::Contains, Quantifier::All), "0~kvm"),
        (search(0, &[""], MatchKind::Equals, Quantifier::Any), "0="),
        (Expr::HasValue { column: 1 }, "1?true"),
        (not(Expr::HasValue { column: 1 }), "1?false"),
        // A null is there, without a value.
        (Expr::Exists { column: 1 }, "always"),
        (not(Expr::Exists { column: 1 }), "1?false"),
    ] {
        let given = shown(&filter, &lists());
        if given != expected {
            wrong.push(format!("{filter:?}\n  {given}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "given, expected:\n{}", wrong.join("\n"));
}

#[test]
fn columns_are_the_source_s() {
    assert_eq!(derive(&has(1, "a"), &plain(), &[4, 9]).clauses[0].atoms[0].column, 9);
}

#[test]
fn a_large_disjunction_of_conjunctions_stays_small() {
    let pair = |n: u32| Expr::And((0..4).map(|m| has(n * 4 + m, "a")).collect());
    let reads: Vec<u32> = (0..400).collect();
    let inputs = vec![Input { ty: LogicalType::String, list: false }; 400];
    let prefilter = derive(&Expr::Or((0..100).map(pair).collect()), &inputs, &reads);
    assert!((1..=16).contains(&prefilter.clauses.len()), "{} clauses", prefilter.clauses.len());
    assert!(prefilter.clauses.iter().all(|clause| clause.atoms.len() >= 100), "each conjunction has its part");
}

#[test]
fn exclusions_take_no_place_and_little_room() {
    let wanted: Vec<Expr> = (0..8).map(|n| contains(n, "rather rare")).collect();
    let reads: Vec<u32> = (0..1_000).collect();
    let inputs = vec![Input { ty: LogicalType::String, list: false }; 1_000];
    let alone = derive(&Expr::And(wanted.clone()), &inputs, &reads);
    let texts: Vec<String> = (0..500).map(|n| format!("c:\\folder {n}\\")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let excluding = not(search(9, &texts, MatchKind::StartsWith, Quantifier::Any));
    // Each of two sides has what it excludes.
    let one_of = |n: usize| Expr::And(vec![wanted[n].clone(), excluding.clone()]);
    let sides = |n: usize| Expr::Or(vec![wanted[n].clone(), wanted[n + 1].clone()]);
    for (filter, alone) in [
        (Expr::And([vec![excluding.clone()], wanted.clone()].concat()), alone),
        (Expr::Or(vec![one_of(0), one_of(1)]), derive(&sides(0), &inputs, &reads)),
    ] {
        let prefilter = derive(&filter, &inputs, &reads);
        let (kept, excluded) = prefilter.clauses.split_at(alone.clauses.len());
        assert_eq!(kept, alone.clauses);
        assert!(!excluded.is_empty() && excluded.iter().all(|clause| clause.atoms.iter().any(|atom| atom.negated)));
        let bytes: usize = excluded.iter().map(fit::json_bytes).sum();
        assert!(bytes <= 1 << 10, "{bytes} bytes");
    }
}
