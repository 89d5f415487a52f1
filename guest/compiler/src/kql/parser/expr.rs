//! Scalar expressions, loosest binding first: `or`, `and`, equality (with `in` and `between`), comparison, `+ -`, `* / %`,
//! text operators, sign, and `.` and `[]` behind a primary.
//!
//! A chain of `and` or of `or` becomes a balanced tree: both are associative, and rules have hundreds of alternatives.

use sandtrap_wit::LogicalType;

use super::{HEIGHT_MAX, Parse, Parser, is_symbol, is_word};
use crate::{
    diagnostic::{Diagnostic, Span},
    kql::{
        ast::{BinaryOp, Expr, ExprKind, ListOp, Literal, Name, TextOp, TextOpKind, UnaryOp},
        literal,
        token::{Token, TokenKind},
    },
};

/// Operators that Kusto still takes and its reference no longer describes.
const OLD_OPERATORS: [&str; 6] = ["like", "notlike", "likecs", "notlikecs", "notcontains", "notcontainscs"];

/// An expression and the height of its tree.
struct Tall {
    expr: Expr,
    height: u32,
}

/// How a level's operator is read: it answers with the operator and how many tokens that is.
type ReadOperator = fn(&Parser) -> Option<(BinaryOp, usize)>;

impl Parser {
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        Ok(self.or_expression()?.expr)
    }

    fn or_expression(&mut self) -> Parse<Tall> {
        self.nested(|parser| {
            parser.junction("or", BinaryOp::Or, |parser| parser.junction("and", BinaryOp::And, Self::equality))
        })
    }

    fn junction(&mut self, word: &str, op: BinaryOp, operand: impl Fn(&mut Self) -> Parse<Tall>) -> Parse<Tall> {
        let mut operands = vec![operand(self)?];
        let mut spans = Vec::new();
        while self.is_word(word) {
            spans.push(self.span());
            self.advance();
            operands.push(operand(self)?);
        }
        Ok(balanced(op, operands, &spans))
    }

    fn equality(&mut self) -> Parse<Tall> {
        let left = self.comparison()?;
        let op_span = self.span();
        let tall = if let Some((op, tokens)) = self.list_operator() {
            self.list(left, op, tokens)?
        } else if let Some((negated, tokens)) = self.between_operator() {
            (0..tokens).for_each(|_| self.advance());
            self.between(left, negated)?
        } else if let Some(op) = self.equality_operator() {
            self.advance();
            let right = self.comparison()?;
            self.join(left, op, op_span, right)?
        } else {
            return Ok(left);
        };
        self.refuse_chain()?;
        Ok(tall)
    }

    fn equality_operator(&self) -> Option<BinaryOp> {
        self.symbol_operator(&[("==", BinaryOp::Equal), ("!=", BinaryOp::NotEqual), ("<>", BinaryOp::NotEqual)])
    }

    fn comparison(&mut self) -> Parse<Tall> {
        self.once(Self::sum, Self::order_operator)
    }

    fn order_operator(&self) -> Option<(BinaryOp, usize)> {
        let op = self.symbol_operator(&[
            ("<", BinaryOp::Less),
            ("<=", BinaryOp::LessEqual),
            (">", BinaryOp::Greater),
            (">=", BinaryOp::GreaterEqual),
        ])?;
        Some((op, 1))
    }

    /// `a < b < c` means nothing in KQL, nor does `a in (b) == c`.
    fn refuse_chain(&mut self) -> Parse<()> {
        let chained = self.list_operator().is_some()
            || self.between_operator().is_some()
            || self.equality_operator().is_some()
            || self.order_operator().is_some()
            || self.text_operator().is_some();
        if !chained {
            return Ok(());
        }
        let message = "comparisons do not chain";
        let help = "put one of them into parentheses, or join them with `and`";
        self.fail(Diagnostic::error("KQL0211", self.span(), message).help(help))
    }

    fn sum(&mut self) -> Parse<Tall> {
        self.chain(Self::product, |parser| {
            Some((parser.symbol_operator(&[("+", BinaryOp::Add), ("-", BinaryOp::Subtract)])?, 1))
        })
    }

    fn product(&mut self) -> Parse<Tall> {
        self.chain(Self::text_test, |parser| {
            let op = parser.symbol_operator(&[
                ("*", BinaryOp::Multiply),
                ("/", BinaryOp::Divide),
                ("%", BinaryOp::Modulo),
            ])?;
            Some((op, 1))
        })
    }

    fn text_test(&mut self) -> Parse<Tall> {
        let tall = self.once(Self::signed, Self::text_operator)?;
        if self.text_operator().is_some() {
            self.refuse_chain()?;
        }
        Ok(tall)
    }

    /// Operators of a level on which they do not follow one another.
    fn once(&mut self, operand: fn(&mut Self) -> Parse<Tall>, operator: ReadOperator) -> Parse<Tall> {
        let left = operand(self)?;
        let Some((op, tokens)) = operator(self) else { return Ok(left) };
        let op_span = self.take_operator(tokens);
        let right = operand(self)?;
        let tall = self.join(left, op, op_span, right)?;
        if operator(self).is_some() {
            self.refuse_chain()?;
        }
        Ok(tall)
    }

    /// Goes behind an operator of so many tokens, and says where it stands.
    fn take_operator(&mut self, tokens: usize) -> Span {
        let span = self.span().start..self.ahead(tokens - 1).span.end;
        (0..tokens).for_each(|_| self.advance());
        span
    }

    /// Left-associative operators of one level.
    fn chain(&mut self, operand: fn(&mut Self) -> Parse<Tall>, operator: ReadOperator) -> Parse<Tall> {
        let mut left = operand(self)?;
        while let Some((op, tokens)) = operator(self) {
            let op_span = self.take_operator(tokens);
            let right = operand(self)?;
            left = self.join(left, op, op_span, right)?;
        }
        Ok(left)
    }

    fn join(&mut self, left: Tall, op: BinaryOp, op_span: Span, right: Tall) -> Parse<Tall> {
        let tall = binary(op, op_span, left, right);
        if tall.height > HEIGHT_MAX { self.too_high(tall.expr.span) } else { Ok(tall) }
    }

    fn symbol_operator(&self, known: &[(&str, BinaryOp)]) -> Option<BinaryOp> {
        known.iter().find(|(symbol, _)| self.is_symbol(symbol)).map(|(_, op)| *op)
    }

    /// The word here, with whether a `!` stands right before it, and how many tokens both are.
    fn operator_word(&self) -> Option<(&str, bool, usize)> {
        let negated = self.is_symbol("!") && self.is_adjacent(0);
        match &self.ahead(usize::from(negated)).kind {
            TokenKind::Identifier(word) => Some((word, negated, 1 + usize::from(negated))),
            _ => None,
        }
    }

    fn list_operator(&self) -> Option<(ListOp, usize)> {
        let (word, negated, tokens) = self.operator_word()?;
        let fold = self.is_adjacent(tokens - 1) && is_symbol(self.ahead(tokens), "~");
        let op = match (word, negated, fold) {
            ("in", false, false) => ListOp::In,
            ("in", true, false) => ListOp::NotIn,
            ("in", false, true) => ListOp::InFold,
            ("in", true, true) => ListOp::NotInFold,
            ("has_any", false, false) => ListOp::HasAny,
            ("has_all", false, false) => ListOp::HasAll,
            _ => return None,
        };
        Some((op, tokens + usize::from(fold)))
    }

    fn between_operator(&self) -> Option<(bool, usize)> {
        let (word, negated, tokens) = self.operator_word()?;
        (word == "between").then_some((negated, tokens))
    }

    fn text_operator(&self) -> Option<(BinaryOp, usize)> {
        let symbols = [("=~", BinaryOp::EqualFold), ("!~", BinaryOp::NotEqualFold), (":", BinaryOp::Unsupported(":"))];
        if let Some(op) = self.symbol_operator(&symbols) {
            return Some((op, 1));
        }
        let (word, negated, tokens) = self.operator_word()?;
        if word == "matches" && !negated && is_word(self.ahead(1), "regex") {
            return Some((BinaryOp::Unsupported("matches regex"), 2));
        }
        if let Some(old) = OLD_OPERATORS.iter().find(|old| **old == word).filter(|_| !negated) {
            return Some((BinaryOp::Unsupported(old), 1));
        }
        let (stem, case_sensitive) = word.strip_suffix("_cs").map_or((word, false), |stem| (stem, true));
        let (stem, case_sensitive) = if word == "containscs" { ("contains", true) } else { (stem, case_sensitive) };
        let kind = match stem {
            "has" => TextOpKind::Has,
            "hasprefix" => TextOpKind::HasPrefix,
            "hassuffix" => TextOpKind::HasSuffix,
            "contains" => TextOpKind::Contains,
            "startswith" => TextOpKind::StartsWith,
            "endswith" => TextOpKind::EndsWith,
            _ => return None,
        };
        Some((BinaryOp::Text(TextOp { kind, negated, case_sensitive }), tokens))
    }

    fn list(&mut self, left: Tall, op: ListOp, tokens: usize) -> Parse<Tall> {
        let op_span = self.take_operator(tokens);
        self.expect_symbol("(")?;
        let (mut right, mut height) = (Vec::new(), left.height);
        loop {
            self.warn_of_joined_strings();
            let element = self.argument()?;
            height = height.max(element.height);
            right.push(element.expr);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        let span = left.expr.span.start..self.end();
        let kind = ExprKind::List { op, op_span, left: Box::new(left.expr), right };
        self.higher(kind, span, height)
    }

    fn between(&mut self, value: Tall, negated: bool) -> Parse<Tall> {
        self.expect_symbol("(")?;
        let low = self.or_expression()?;
        self.expect_symbol("..")?;
        let high = self.or_expression()?;
        self.expect_symbol(")")?;
        let span = value.expr.span.start..self.end();
        let height = value.height.max(low.height).max(high.height);
        let (value, low, high) = (Box::new(value.expr), Box::new(low.expr), Box::new(high.expr));
        self.higher(ExprKind::Between { negated, value, low, high }, span, height)
    }

    /// An expression one level above others.
    fn higher(&mut self, kind: ExprKind, span: Span, below: u32) -> Parse<Tall> {
        if below >= HEIGHT_MAX {
            return self.too_high(span);
        }
        Ok(Tall { expr: Expr { kind, span }, height: below + 1 })
    }

    fn signed(&mut self) -> Parse<Tall> {
        let op = if self.is_symbol("-") {
            UnaryOp::Negate
        } else if self.is_symbol("+") {
            UnaryOp::Plus
        } else {
            return self.postfix();
        };
        let start = self.span().start;
        self.advance();
        let operand = self.postfix()?;
        let span = start..self.end();
        let height = operand.height;
        self.higher(ExprKind::Unary { op, operand: Box::new(operand.expr) }, span, height)
    }

    fn postfix(&mut self) -> Parse<Tall> {
        let mut target = self.primary()?;
        loop {
            let start = target.expr.span.start;
            if self.is_symbol(".") && is_symbol(self.ahead(1), "[") {
                // `a.[0]` is `a[0]`.
                self.advance();
            } else if self.is_symbol(".") {
                self.advance();
                let member = self.name("the name of a member")?;
                if self.is_symbol("(") {
                    self.skip_arguments()?;
                }
                let kind = ExprKind::Member { target: Box::new(target.expr), member };
                target = self.higher(kind, start..self.end(), target.height)?;
            } else if self.is_symbol("[") {
                self.advance();
                let index = self.or_expression()?;
                self.expect_symbol("]")?;
                let kind = ExprKind::Index { target: Box::new(target.expr), index: Box::new(index.expr) };
                target = self.higher(kind, start..self.end(), target.height.max(index.height))?;
            } else {
                return Ok(target);
            }
        }
    }

    /// `cluster('c').database('d').Table`: a member with arguments, which nothing here supports.
    fn skip_arguments(&mut self) -> Parse<()> {
        self.expect_symbol("(")?;
        self.skip_operator();
        self.expect_symbol(")")
    }

    fn primary(&mut self) -> Parse<Tall> {
        let Token { kind, span } = self.token().clone();
        let start = span.start;
        let literal = match kind {
            TokenKind::String(_) => Literal::String(self.strings()),
            TokenKind::Long(value) => self.then(Literal::Long(value)),
            TokenKind::Real(value) => self.then(Literal::Real(value)),
            TokenKind::Timespan(ticks) => self.then(Literal::Timespan(ticks)),
            TokenKind::Typed { ty, text } => {
                let literal = self.typed_literal(&ty, &text)?;
                self.then(literal)
            }
            TokenKind::Symbol("(") => return self.parenthesised(),
            TokenKind::Symbol("*") => {
                self.advance();
                return Ok(Tall { expr: Expr { kind: ExprKind::Star, span }, height: 1 });
            }
            TokenKind::Symbol("[") => {
                let name = self.name("an expression")?;
                return Ok(Tall { expr: Expr { kind: ExprKind::Name(name.text), span: name.span }, height: 1 });
            }
            TokenKind::Identifier(word) => return self.word(word, span),
            _ => return self.fail_expected("an expression"),
        };
        Ok(Tall { expr: Expr { kind: ExprKind::Literal(literal), span: start..self.end() }, height: 1 })
    }

    /// The value of the literal `ty(text)` that is here.
    pub(super) fn typed_literal(&mut self, ty: &str, text: &str) -> Parse<Literal> {
        if ty == "decimal" {
            let message = "decimal literals are not supported";
            return self.fail(Diagnostic::error("KQL0208", self.span(), message).help("write real(...)"));
        }
        let Some(literal) = literal::typed(ty, text) else {
            let help = match ty {
                "datetime" | "date" => {
                    "write it like datetime(2024-05-01) or datetime(2024-05-01T10:20:30.5Z)".to_owned()
                }
                "timespan" | "time" => "write it like 5d, timespan(1.02:03:04.5) or timespan(2 hours)".to_owned(),
                _ => format!("`{ty}(...)` holds a constant; an expression is converted with `to{ty}(...)`"),
            };
            let message = format!("`{text}` is no {ty} literal");
            return self.fail(Diagnostic::error("KQL0107", self.span(), message).help(help));
        };
        Ok(literal)
    }

    fn then(&mut self, literal: Literal) -> Literal {
        self.advance();
        literal
    }

    /// Adjacent string literals are one.
    pub(super) fn strings(&mut self) -> String {
        let mut all = String::new();
        while let TokenKind::String(text) = &self.token().kind {
            all.push_str(text);
            self.advance();
        }
        all
    }

    /// Between the elements of a list a missing comma makes one text of two, which is hardly ever meant.
    pub(super) fn warn_of_joined_strings(&mut self) {
        let is_string = |token: &Token| matches!(token.kind, TokenKind::String(_));
        if is_string(self.token()) && is_string(self.ahead(1)) {
            let span = self.span().start..self.ahead(1).span.end;
            let message = "two string literals without a comma between them are one text";
            let warning =
                Diagnostic::warning("KQL0109", span, message).help("write a comma between them if two are meant");
            self.diagnostics.push(warning);
        }
    }

    fn word(&mut self, word: String, span: Span) -> Parse<Tall> {
        let call = is_symbol(self.ahead(1), "(");
        let kind = match word.as_str() {
            literal if !call && boolean(literal).is_some() => {
                ExprKind::Literal(Literal::Bool(boolean(literal).unwrap_or_default()))
            }
            "dynamic" if call => {
                self.advance();
                let value = self.dynamic()?;
                let literal = match value {
                    serde_json::Value::Null => Literal::Null(LogicalType::Dynamic),
                    value => Literal::Dynamic(value),
                };
                let kind = ExprKind::Literal(literal);
                return Ok(Tall { expr: Expr { kind, span: span.start..self.end() }, height: 1 });
            }
            _ => {
                self.refuse_reserved()?;
                if call {
                    return self.call();
                }
                ExprKind::Name(word)
            }
        };
        self.advance();
        Ok(Tall { expr: Expr { kind, span }, height: 1 })
    }

    fn call(&mut self) -> Parse<Tall> {
        let name = self.name("a function")?;
        let start = name.span.start;
        self.expect_symbol("(")?;
        let is_type = name.text == "typeof" && matches!(self.token().kind, TokenKind::Identifier(_));
        let (arguments, height) = if is_type { self.type_argument()? } else { self.arguments()? };
        self.higher(ExprKind::Call { name, arguments }, start..self.end(), height)
    }

    /// The argument of `typeof`, which is a keyword anywhere else.
    fn type_argument(&mut self) -> Parse<(Vec<Expr>, u32)> {
        let Name { text, span } = self.name("a type")?;
        self.expect_symbol(")")?;
        Ok((vec![Expr { kind: ExprKind::Name(text), span }], 1))
    }

    /// What stands behind an opening parenthesis, up to the closing one, and the greatest height in it.
    fn arguments(&mut self) -> Parse<(Vec<Expr>, u32)> {
        let (mut arguments, mut height) = (Vec::new(), 0);
        if self.take_symbol(")") {
            return Ok((arguments, height));
        }
        loop {
            let argument = self.argument()?;
            height = height.max(argument.height);
            arguments.push(argument.expr);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        Ok((arguments, height))
    }

    /// An argument, an element of a list or what stands in parentheses: a scalar, or a pipeline.
    fn argument(&mut self) -> Parse<Tall> {
        let start = self.span().start;
        let pipeline = if self.starts_source() {
            self.pipeline()?
        } else {
            // A named argument, as some functions have it: the name says nothing that the position does not.
            if matches!(self.token().kind, TokenKind::Identifier(_)) && is_symbol(self.ahead(1), "=") {
                self.advance();
                self.advance();
            }
            let tall = self.or_expression()?;
            // Behind anything else a `|` is a parenthesis that was not closed.
            let names_rows = matches!(
                tall.expr.kind,
                ExprKind::Name(_) | ExprKind::Subquery(_) | ExprKind::Call { .. } | ExprKind::Member { .. }
            );
            if !self.is_symbol("|") || !names_rows {
                return Ok(tall);
            }
            self.inner_pipeline(tall.expr)?
        };
        let kind = ExprKind::Subquery(Box::new(pipeline));
        Ok(Tall { expr: Expr { kind, span: start..self.end() }, height: 1 })
    }

    fn parenthesised(&mut self) -> Parse<Tall> {
        let start = self.span().start;
        self.expect_symbol("(")?;
        let mut tall = self.argument()?;
        self.expect_symbol(")")?;
        tall.expr.span = start..self.end();
        Ok(tall)
    }
}

/// <https://learn.microsoft.com/kusto/query/scalar-data-types/bool>
pub(super) fn boolean(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn binary(op: BinaryOp, op_span: Span, left: Tall, right: Tall) -> Tall {
    let span = left.expr.span.start..right.expr.span.end;
    let height = left.height.max(right.height) + 1;
    let kind = ExprKind::Binary { op, op_span, left: Box::new(left.expr), right: Box::new(right.expr) };
    Tall { expr: Expr { kind, span }, height }
}

/// The operands as a tree of logarithmic height, in order; `spans` are those of the operators between them.
fn balanced(op: BinaryOp, mut operands: Vec<Tall>, spans: &[Span]) -> Tall {
    if operands.len() <= 1 {
        return operands.pop().unwrap_or(Tall { expr: Expr { kind: ExprKind::Error, span: 0..0 }, height: 1 });
    }
    let middle = operands.len() / 2;
    let right = operands.split_off(middle);
    let (before, behind) = spans.split_at(middle.min(spans.len()));
    let (op_span, before) = before.split_last().map_or((0..0, before), |(span, rest)| (span.clone(), rest));
    binary(op, op_span, balanced(op, operands, before), balanced(op, right, behind))
}
