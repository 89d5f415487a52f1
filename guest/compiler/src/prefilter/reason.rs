//! Why a detection cannot be pruned, for people who want it quicker. Nothing of this is in the manifest.

use sandtrap_wit::plan::{Node, Rows, SourceColumn};

use super::truth::Derivation;
use crate::ir::{CompareOp, ElementTest, Expr, Kernel, Program, TextMatch, walk};

/// So many reasons are named.
const REASONS_MAX: usize = 3;
/// So many characters of a pattern are shown.
const PATTERN_CHARACTERS_MAX: usize = 60;

/// Why every event of the stream, or every one that has some field at all or is not ruled out, is a candidate for the
/// detection; `None` where its prefilter asks for more, or where it reads no stream.
pub fn not_pruned(program: &Program) -> Option<String> {
    let Some(Node::Source(source)) = program.plan.nodes.first() else { return None };
    if !matches!(source.rows, Rows::Stream(_)) || source.prefilter.prunes() {
        return None;
    }
    let fields: Vec<String> = source.columns.iter().map(field).collect();
    let first = program.plan.nodes.get(1).and_then(|node| match node {
        Node::Kernel(node) => Some((node, program.kernels.get(node.kernel as usize)?)),
        _ => None,
    });
    let Some((node, Kernel { inputs, filter: Some(filter), .. })) = first else {
        return Some("it has no condition, so every event of the stream counts".into());
    };
    let derivation = Derivation { inputs, reads: &node.reads };
    let reasons = Reasons { derivation: &derivation, fields: &fields }.of(filter, true);
    let mut named: Vec<String> = Vec::new();
    for reason in reasons {
        if !named.contains(&reason) && named.len() < REASONS_MAX {
            named.push(reason);
        }
    }
    Some(named.join("; "))
}

fn field(column: &SourceColumn) -> String {
    column.field.join(".")
}

struct Reasons<'a> {
    derivation: &'a Derivation<'a>,
    /// The names of the source's columns.
    fields: &'a [String],
}

impl Reasons<'_> {
    /// Why nothing has to hold for `expr` to be `wanted`. Recursion is as deep as the expression, which the front end bounds.
    fn of(&self, expr: &Expr, wanted: bool) -> Vec<String> {
        match expr {
            Expr::Not(operand) => self.of(operand, !wanted),
            // All of them must be so, and none says anything.
            Expr::And(operands) if wanted => operands.iter().flat_map(|operand| self.of(operand, wanted)).collect(),
            Expr::Or(operands) if !wanted => operands.iter().flat_map(|operand| self.of(operand, wanted)).collect(),
            // One is enough, and this one says nothing.
            Expr::And(operands) | Expr::Or(operands) => match operands.iter().find(|each| self.is_open(each, wanted)) {
                Some(open) => {
                    let why = self.of(open, wanted).join(", ");
                    vec![format!("one of its alternatives is enough, in which {why}")]
                }
                None => vec!["its alternatives are too many".into()],
            },
            _ => vec![self.of_test(expr, wanted)],
        }
    }

    fn is_open(&self, expr: &Expr, wanted: bool) -> bool {
        let condition = if wanted { self.derivation.when_true(expr) } else { self.derivation.when_false(expr) };
        !condition.into_prefilter().prunes()
    }

    fn of_test(&self, expr: &Expr, wanted: bool) -> String {
        let fields = self.fields_of(expr);
        match expr {
            Expr::Literal(_) => "a part of it always holds".into(),
            Expr::HasValue { .. } | Expr::Exists { .. } | Expr::IsNull(_) | Expr::Input { .. } => {
                format!("it only asks whether {fields} is there")
            }
            Expr::TextMatch(TextMatch { needles, .. }) if wanted && needles.iter().any(String::is_empty) => {
                format!("any text in {fields} will do")
            }
            Expr::TextMatch(TextMatch { needles, .. }) if wanted => {
                format!("it looks for too many texts, {}, in {fields}", needles.len())
            }
            Expr::AnyElement { test: ElementTest::Field { .. }, .. } | Expr::TextMatchDynamic { .. } if wanted => {
                format!("it compares {fields} with each other")
            }
            Expr::AnyElement { test: ElementTest::Regex(regex), .. } if wanted => {
                let shown: String = regex.pattern().chars().take(PATTERN_CHARACTERS_MAX).collect();
                format!("there is no text that every match of `{shown}` in {fields} has")
            }
            Expr::AnyElement { test: ElementTest::Wildcards { .. }, .. } if wanted => {
                format!("one of the patterns for {fields} is only wildcards")
            }
            Expr::AnyElement { .. } if wanted => format!("it compares {fields} as a number"),
            Expr::Compare { op: CompareOp::NotEqual, .. } if wanted => format!("it only says what {fields} is not"),
            Expr::Compare { .. } | Expr::InSet { .. } | Expr::If { .. } if wanted => {
                format!("it compares what is calculated from {fields}")
            }
            Expr::AnyElement { .. } | Expr::TextMatch(_) | Expr::TextMatchDynamic { .. } | Expr::IsEmpty(_) => {
                format!("it only says what {fields} is not")
            }
            _ => format!("it asks for what cannot be looked for in {fields}"),
        }
    }

    /// The fields that an expression reads, as people write them.
    fn fields_of(&self, expr: &Expr) -> String {
        let mut names: Vec<String> = Vec::new();
        walk::inputs(expr, &mut |column| {
            let name = self.derivation.source_column(column).and_then(|column| self.fields.get(column as usize));
            let name = match name.map(String::as_str) {
                Some("*") | None => "any field".to_owned(),
                Some(name) => format!("`{name}`"),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Options, compile};

    fn reason(file: &str, text: &str) -> Option<String> {
        let compiled = compile(file, text, &Options::default());
        let [compilation] = compiled.as_slice() else { panic!("one rule: {text}") };
        not_pruned(compilation.program().unwrap_or_else(|| panic!("{text}\n{:?}", compilation.diagnostics)))
    }

    #[test]
    fn says_why_nothing_prunes_a_rule() {
        for (detection, expected) in [
            ("s: {A: x}\n  condition: s", None),
            ("s: {A: x}\n  f: {A: y}\n  condition: s and not f", None),
            ("s: {A: x}\n  condition: not s", Some("it only says what `A` is not")),
            (
                "s: {A: x}\n  f: {B: y}\n  condition: not s and not f",
                Some("it only says what `A` is not; it only says what `B` is not"),
            ),
            ("s: ['x']\n  condition: not s", Some("it only says what any field is not")),
            ("s: {A|re: '.*'}\n  condition: s", Some("there is no text that every match of `.*` in `A` has")),
            ("s: {A|fieldref: B}\n  condition: s", Some("it compares `A` and `B` with each other")),
            ("s: {A|exists: true}\n  condition: s", Some("it only asks whether `A` is there")),
            ("s: {A: null}\n  condition: s", Some("it only asks whether `A` is there")),
            ("s: {A|gt: 5}\n  condition: s", Some("it compares `A` as a number")),
            ("s: {A: '*'}\n  condition: s", Some("any text in `A` will do")),
            ("s: {A: '?*?'}\n  condition: s", Some("one of the patterns for `A` is only wildcards")),
            ("s: {T|hour: 3}\n  condition: s", Some("it compares what is calculated from `T`")),
            (
                "s: {A: x}\n  f: {B|gt: 1}\n  condition: s or f",
                Some("one of its alternatives is enough, in which it compares `B` as a number"),
            ),
        ] {
            let rule = format!(
                "title: T\nid: 5e7a0a2c-0f1f-4a38-9a65-0f0c6c0f5a11\nlogsource: {{category: test}}\ndetection:\n  {detection}\n"
            );
            assert_eq!(reason("rule.yml", &rule).as_deref(), expected, "{detection}");
        }
    }

    #[test]
    fn a_query_without_a_condition_says_so() {
        let open = "it has no condition, so every event of the stream counts";
        for (query, expected) in [
            ("DeviceNetworkEvents | take 5", Some(open)),
            ("DeviceNetworkEvents | summarize count() by RemoteUrl", Some(open)),
            ("DeviceNetworkEvents | where RemoteUrl has 'kvm'", None),
            ("DeviceNetworkEvents | where RemotePort != 443", Some("it only says what `RemotePort` is not")),
            ("print x = 1", None),
        ] {
            assert_eq!(reason("query.kql", query).as_deref(), expected, "{query}");
        }
    }
}
