//! Programs as short text, so that a test reads as `query -> plan`.

use sandtrap_compiler::ir::{
    Arithmetic, CompareOp, ElementTest, Expr, Input, Literal, MatchKind, Pattern, Piece, Program, Quantifier,
};
use sandtrap_wit::{
    plan::{AggregateFunction, Node, OutputCells, Rows},
    prefilter::{Prefilter, Test},
};

/// A program, one node a line.
pub(crate) fn program(program: &Program) -> String {
    let known = program.plan.validate().expect("the plan is valid");
    let mut lines = Vec::new();
    for (index, node) in program.plan.nodes.iter().enumerate() {
        let input: Vec<&str> = match node.input() {
            Some(input) => known[input as usize].iter().map(|column| column.name.as_str()).collect(),
            None => Vec::new(),
        };
        let name = |column: u32| input[column as usize].to_string();
        lines.push(match node {
            Node::Source(source) => {
                let rows = match &source.rows {
                    Rows::Stream(table) => table.clone(),
                    Rows::Inline(rows) => format!("inline {}", serde_json::to_string(rows).expect("cells are JSON")),
                };
                let columns: Vec<String> = source
                    .columns
                    .iter()
                    .map(|column| {
                        let name = column.field.join(".");
                        let name = if column.list { format!("[{name}]") } else { name };
                        format!("{name}:{}", column.ty)
                    })
                    .collect();
                let mut line = vec![format!("source {rows} ({})", columns.join(", "))];
                if let Some(lookback) = source.lookback {
                    let end = |bound: sandtrap_wit::plan::Bound| {
                        let inclusive = if bound.inclusive { "=" } else { "" };
                        format!("{inclusive}{}s", bound.ago / 10_000_000)
                    };
                    line.push(format!("lookback {}", source.columns[lookback.column as usize].field.join(".")));
                    line.push(format!("{}..{}", end(lookback.from), lookback.to.map(end).unwrap_or_default()));
                }
                if !source.prefilter.is_always() {
                    line.push(format!("prefilter {}", prefilter(&source.prefilter, &known[index])));
                }
                line.join(" ")
            }
            Node::Kernel(kernel) => {
                let code = &program.kernels[kernel.kernel as usize];
                let names: Vec<String> = kernel.reads.iter().map(|column| name(*column)).collect();
                let read = kernel.reads.iter().map(|at| &known[kernel.input as usize][*at as usize]);
                let read: Vec<_> = read.map(|column| Input { ty: column.ty, list: column.list }).collect();
                assert_eq!(code.inputs, read, "a kernel's inputs are what it reads");
                let filter = code.filter.as_ref().map(|filter| format!(" where {}", expr(filter, &names)));
                let outputs = kernel.outputs.iter().map(|output| match output.from {
                    OutputCells::Input(column) if name(column) == output.name => output.name.clone(),
                    OutputCells::Input(column) => format!("{}={}", output.name, name(column)),
                    OutputCells::Computed(index) => {
                        let value = &code.computed[index as usize];
                        assert_eq!(value.ty(), output.ty, "an output has the type of its expression");
                        format!("{}={}", output.name, expr(value, &names))
                    }
                });
                format!("kernel{} -> {}", filter.unwrap_or_default(), outputs.collect::<Vec<_>>().join(", "))
            }
            Node::Aggregate(aggregate) => {
                let keys = aggregate.by.iter().map(|key| named(&key.name, &name(key.column)));
                let values = aggregate.aggregates.iter().map(|column| {
                    let value = match column.function {
                        AggregateFunction::Count => "count()".into(),
                        AggregateFunction::Min(column) => format!("min({})", name(column)),
                        AggregateFunction::Max(column) => format!("max({})", name(column)),
                        AggregateFunction::Dcount(column) => format!("dcount({})", name(column)),
                        AggregateFunction::MakeSet { column, size } => format!("make_set({}, {size})", name(column)),
                    };
                    format!("{}={value}", column.name)
                });
                let values = values.collect::<Vec<_>>().join(", ");
                format!("aggregate {values} by {}", keys.collect::<Vec<_>>().join(", "))
            }
            Node::Sort(sort) => {
                let keys =
                    sort.by.iter().map(|key| format!("{} {:?} nulls {:?}", name(key.column), key.order, key.nulls));
                format!("sort {}", keys.collect::<Vec<_>>().join(", ").to_lowercase())
            }
            Node::Limit(limit) => format!("limit {}", limit.rows),
        });
    }
    lines.join("\n")
}

/// The names of the columns that a kernel node reads.
pub(crate) fn names(program: &Program, node: usize) -> Vec<String> {
    let known = program.plan.validate().expect("the plan is valid");
    let Node::Kernel(kernel) = &program.plan.nodes[node] else { panic!("node {node} is not a kernel") };
    kernel.reads.iter().map(|column| known[kernel.input as usize][*column as usize].name.clone()).collect()
}

fn named(name: &str, value: &str) -> String {
    if name == value { name.to_string() } else { format!("{name}={value}") }
}

fn prefilter(prefilter: &Prefilter, columns: &[sandtrap_wit::plan::NamedColumn]) -> String {
    let clauses = prefilter.clauses.iter().map(|clause| {
        let atoms = clause.atoms.iter().map(|atom| {
            let test = match &atom.test {
                Test::Contains(text) => format!("~{text}"),
                Test::Prefix(text) => format!("^{text}"),
                Test::Suffix(text) => format!("${text}"),
                Test::Equals(text) => format!("={text}"),
                Test::Exists(wanted) => format!("?{wanted}"),
                Test::Integers(set) => format!("{set:?}"),
                Test::Range(low, high) => format!("[{low}..{high}]"),
            };
            let not = if atom.negated { "!" } else { "" };
            format!("{not}{}{test}", columns[atom.column as usize].name)
        });
        atoms.collect::<Vec<_>>().join("|")
    });
    clauses.collect::<Vec<_>>().join(" & ")
}

/// An expression; `names` are the columns it reads.
pub(crate) fn expr(expr: &Expr, names: &[String]) -> String {
    let show = |expr: &Expr| self::expr(expr, names);
    let list = |exprs: &[Expr]| exprs.iter().map(show).collect::<Vec<_>>().join(" ");
    match expr {
        Expr::Literal(literal) => self::literal(literal),
        Expr::Input { column, .. } => names[*column as usize].clone(),
        Expr::Now => "now".into(),
        Expr::Not(operand) => format!("(not {})", show(operand)),
        Expr::And(operands) => format!("(and {})", list(operands)),
        Expr::Or(operands) => format!("(or {})", list(operands)),
        Expr::Compare { op, left, right } => {
            format!("({} {} {})", compared(*op), show(left), show(right))
        }
        Expr::InSet { value, set } => format!("(in {} {set:?})", show(value)),
        Expr::TextMatch(text) => {
            let all = if text.quantifier == Quantifier::All { "-all" } else { "" };
            let op = kind(text.kind, text.fold);
            format!("({op}{all} {} {:?})", show(&text.haystack), text.needles)
        }
        Expr::TextMatchDynamic { haystack, needle, kind, fold } => {
            format!("({} {} {})", self::kind(*kind, *fold), show(haystack), show(needle))
        }
        Expr::AnyElement { column, test } => format!("(any {} {})", names[*column as usize], element(test, names)),
        Expr::Exists { column } => format!("(exists {})", names[*column as usize]),
        Expr::HasValue { column } => format!("(has-value {})", names[*column as usize]),
        Expr::IsNull(operand) => format!("(isnull {})", show(operand)),
        Expr::IsEmpty(operand) => format!("(isempty {})", show(operand)),
        Expr::Arithmetic { op, left, right, ty } => {
            let op = match op {
                Arithmetic::Add => '+',
                Arithmetic::Subtract => '-',
                Arithmetic::Multiply => '*',
                Arithmetic::Divide => '/',
                Arithmetic::Modulo => '%',
            };
            format!("({op}:{ty} {} {})", show(left), show(right))
        }
        Expr::Convert { value, ty } => format!("({ty} {})", show(value)),
        Expr::If { condition, then, otherwise } => {
            format!("(if {} {} {})", show(condition), show(then), show(otherwise))
        }
        Expr::Call { function, arguments } => format!("({function:?} {})", list(arguments)),
    }
}

fn compared(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "==",
        CompareOp::NotEqual => "!=",
        CompareOp::Less => "<",
        CompareOp::LessEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterEqual => ">=",
    }
}

fn element(test: &ElementTest, names: &[String]) -> String {
    match test {
        ElementTest::Wildcards { patterns, fold } => {
            let piece = |piece: &Piece| match piece {
                Piece::Literal(literal) => literal.clone(),
                Piece::AnyCharacter => "<?>".into(),
                Piece::AnyText => "<*>".into(),
            };
            let pattern = |pattern: &Pattern| pattern.0.iter().map(piece).collect::<String>();
            let patterns: Vec<_> = patterns.iter().map(pattern).collect();
            format!("{}{}", if *fold { "~ " } else { "" }, patterns.join("|"))
        }
        ElementTest::Regex(regex) => {
            let flags = regex.flags();
            let flags = [(flags.insensitive, 'i'), (flags.multi_line, 'm'), (flags.single_line, 's')];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect();
            format!("/{}/{flags}", regex.pattern())
        }
        ElementTest::Cidr(networks) => {
            let networks: Vec<_> =
                networks.iter().map(|network| format!("{}/{}", network.address, network.prefix)).collect();
            format!("in {}", networks.join("|"))
        }
        ElementTest::Number { op, value } => format!("{} {value:?}", compared(*op)),
        ElementTest::Field { column, kind, fold } => {
            format!("{} {}", self::kind(*kind, *fold), names[*column as usize])
        }
    }
}

fn kind(kind: MatchKind, fold: bool) -> String {
    let name = match kind {
        MatchKind::Equals => "equals",
        MatchKind::Contains => "contains",
        MatchKind::StartsWith => "startswith",
        MatchKind::EndsWith => "endswith",
        MatchKind::Term => "has",
        MatchKind::TermPrefix => "hasprefix",
        MatchKind::TermSuffix => "hassuffix",
    };
    format!("{name}{}", if fold { "~" } else { "" })
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null(ty) => format!("null:{ty}"),
        Literal::Bool(value) => value.to_string(),
        Literal::Integer(value, ty) => format!("{value}:{ty}"),
        Literal::Real(value) => format!("{value:?}"),
        Literal::Text(text, sandtrap_wit::LogicalType::String) => format!("{text:?}"),
        Literal::Text(text, ty) => format!("{text}:{ty}"),
    }
}
