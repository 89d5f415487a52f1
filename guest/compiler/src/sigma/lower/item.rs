//! One item of a search: a field, its modifiers and its values, as one condition.
//!
//! A field's values are a list; the item holds if one of them passes ("absent", "null" and the rest are in
//! docs/sigma-semantics.md). Keywords are looked for anywhere in any value of the event.

use sandtrap_wit::LogicalType;

use super::{codes, lowering::Lowering, merge, pattern, pattern::Shape, value, value::Matcher};
use crate::{
    diagnostic::{Diagnostic, Span},
    ir::{CompareOp, DatePart, ElementTest, Expr, Function, Literal, MatchKind, Quantifier, TextMatch},
    regex::Regex,
    sigma::ast::{Item, Modifier, Value, ValueData},
};

/// What is the same for all values of an item.
struct Context<'a> {
    field: Option<&'a str>,
    fold: bool,
}

impl Lowering<'_> {
    /// The condition that an item is.
    pub(super) fn item(&mut self, item: &Item) -> Result<Expr, Diagnostic> {
        let has = |wanted: Modifier| item.modifiers.iter().any(|modifier| modifier.modifier == wanted);
        if item.field.is_none() {
            refuse_edges(item)?;
        }
        let context = Context { field: item.field.as_deref(), fold: !has(Modifier::Cased) };
        let mut alternatives = Vec::with_capacity(item.values.len());
        let mut parts = Vec::new();
        for value in &item.values {
            let mut matchers = Vec::new();
            for written in self.written(value, has(Modifier::Expand))? {
                matchers.extend(value::apply(written, &item.modifiers, &value.span)?);
            }
            self.count(matchers.len(), &value.span)?;
            let mut tests = Vec::with_capacity(matchers.len());
            for matcher in matchers {
                match matcher {
                    // One set for all values.
                    Matcher::DatePart(part, None, number) if !has(Modifier::All) => parts.push((part, number)),
                    matcher => tests.push(self.test(&context, matcher, value)?),
                }
            }
            if !tests.is_empty() {
                alternatives.push(merge::any(tests));
            }
        }
        while let Some((part, number)) = parts.pop() {
            let mut set = vec![number];
            parts.retain(|(other, number)| {
                if *other == part {
                    set.push(*number);
                }
                *other != part
            });
            alternatives.push(self.date_part_in(&context, part, set, &item.span)?);
        }
        let result = if has(Modifier::All) { merge::all(alternatives) } else { merge::any(alternatives) };
        Ok(if has(Modifier::Neq) { merge::not(result) } else { result })
    }

    /// What a value is as written, with its placeholders replaced if there may be any.
    fn written(&self, value: &Value, expand: bool) -> Result<Vec<Matcher>, Diagnostic> {
        match &value.data {
            ValueData::Text(text) if expand => {
                let texts = self.placeholders.expand(text, &value.span)?;
                Ok(texts.into_iter().map(Matcher::Written).collect())
            }
            data => Ok(vec![Matcher::from(data)]),
        }
    }

    /// Whether the field's values are what a matcher wants.
    fn test(&mut self, context: &Context, matcher: Matcher, value: &Value) -> Result<Expr, Diagnostic> {
        match matcher {
            Matcher::Written(written) => Ok(self.text(context, pattern::parse(&written))),
            Matcher::Text(pattern) => Ok(self.text(context, pattern)),
            Matcher::Bytes(bytes) => {
                let pattern = value::text_of_bytes(&bytes, &value.span)?;
                Ok(self.text(context, pattern))
            }
            Matcher::Integer(number) => Ok(self.text(context, pattern::literal(&number.to_string()))),
            Matcher::Real(number) => Ok(self.text(context, pattern::literal(&value::real_text(number)))),
            Matcher::Bool(wanted) => {
                let context = Context { fold: true, ..*context };
                Ok(self.text(&context, pattern::literal(&wanted.to_string())))
            }
            Matcher::Null => {
                let column = self.columns.values(Some(field(context, "null", &value.span)?));
                Ok(merge::not(Expr::HasValue { column }))
            }
            Matcher::Exists(wanted) => {
                let column = self.columns.values(Some(field(context, "exists", &value.span)?));
                let exists = Expr::Exists { column };
                Ok(if wanted { exists } else { merge::not(exists) })
            }
            Matcher::Regex { pattern, flags } => {
                let regex = Regex::new(&pattern, flags).map_err(|error| self.not_regex(&pattern, value, error))?;
                Ok(self.element(context, ElementTest::Regex(regex)))
            }
            Matcher::Cidr(network) => Ok(self.element(context, ElementTest::Cidr(vec![network]))),
            Matcher::Compare(op, number) => Ok(self.number(context, op, number)),
            Matcher::DatePart(part, None, number) => self.date_part_in(context, part, vec![number], &value.span),
            Matcher::DatePart(part, Some(op), number) => {
                let left = Box::new(self.date_part(context, part, &value.span)?);
                let right = Box::new(Expr::Literal(Literal::Integer(number, LogicalType::Long)));
                // Of no time the comparison is null; conditions are true or false ("absent" in docs/sigma-semantics.md).
                let has_time = merge::not(Expr::IsNull(left.clone()));
                Ok(merge::all(vec![has_time, Expr::Compare { op, left, right }]))
            }
            Matcher::Field { name, kind } => {
                let column = self.columns.values(Some(field(context, "fieldref", &value.span)?));
                let other = self.columns.values(Some(&name));
                let test = ElementTest::Field { column: other, kind, fold: context.fold };
                Ok(Expr::AnyElement { column, test })
            }
        }
    }

    /// Whether a value of the field is a text with wildcards; of keywords, whether it is anywhere in one.
    fn text(&mut self, context: &Context, pattern: crate::ir::Pattern) -> Expr {
        let pattern = if context.field.is_none() { pattern::starting(pattern::ending(pattern)) } else { pattern };
        match pattern::shape(pattern) {
            Shape::Plain(kind, needle) => self.search(context, kind, needle),
            Shape::Wildcards(pattern) => {
                self.element(context, ElementTest::Wildcards { patterns: vec![pattern], fold: context.fold })
            }
        }
    }

    fn search(&mut self, context: &Context, kind: MatchKind, needle: String) -> Expr {
        let column = self.columns.values(context.field);
        Expr::TextMatch(TextMatch {
            haystack: Box::new(Expr::Input { column, ty: LogicalType::String }),
            needles: vec![needle],
            kind,
            fold: context.fold,
            quantifier: Quantifier::Any,
        })
    }

    fn number(&mut self, context: &Context, op: CompareOp, value: f64) -> Expr {
        self.element(context, ElementTest::Number { op, value })
    }

    fn element(&mut self, context: &Context, test: ElementTest) -> Expr {
        Expr::AnyElement { column: self.columns.values(context.field), test }
    }

    /// Whether a part of the field's time is one of these numbers. A field that is no time has none.
    fn date_part_in(
        &mut self,
        context: &Context,
        part: DatePart,
        mut set: Vec<i64>,
        span: &Span,
    ) -> Result<Expr, Diagnostic> {
        set.sort_unstable();
        set.dedup();
        Ok(Expr::InSet { value: Box::new(self.date_part(context, part, span)?), set })
    }

    fn date_part(&mut self, context: &Context, part: DatePart, span: &Span) -> Result<Expr, Diagnostic> {
        let column = self.columns.time(field(context, "a time modifier", span)?);
        let time = Expr::Input { column, ty: LogicalType::Datetime };
        Ok(Expr::Call { function: Function::DatePart(part), arguments: vec![time] })
    }

    fn not_regex(&self, pattern: &str, value: &Value, error: crate::regex::RegexError) -> Diagnostic {
        let span = self.within(&value.span, pattern, &error.span);
        let diagnostic =
            Diagnostic::error(codes::REGEX, span, format!("the regular expression cannot be used: {}", error.message));
        match error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// Where a part of a value stands, if the value stands in the file as it is; else where the value does.
    fn within(&self, span: &Span, value: &str, part: &Span) -> Span {
        let found = self.source.get(span.clone()).and_then(|written| written.find(value));
        let Some(at) = found.map(|at| span.start.saturating_add(at)) else { return span.clone() };
        at.saturating_add(part.start)..at.saturating_add(part.end)
    }
}

/// The field that keywords do not have.
fn field<'a>(context: &Context<'a>, what: &str, span: &Span) -> Result<&'a str, Diagnostic> {
    context.field.ok_or_else(|| {
        let message = format!("`{what}` is about a field, and keywords have none");
        Diagnostic::error(codes::MODIFIER, span.clone(), message).help("write it under the name of a field")
    })
}

/// Keywords are looked for anywhere, so what says where in a value they must be cannot mean anything.
fn refuse_edges(item: &Item) -> Result<(), Diagnostic> {
    let is_edge = |modifier: Modifier| matches!(modifier, Modifier::StartsWith | Modifier::EndsWith);
    let Some(edge) = item.modifiers.iter().find(|found| is_edge(found.modifier)) else { return Ok(()) };
    let message = "keywords are looked for anywhere in every value of the event, not at an edge of one";
    Err(Diagnostic::error(codes::MODIFIER, edge.span.clone(), message).help("name a field before it, or leave it out"))
}
