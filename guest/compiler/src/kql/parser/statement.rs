//! Statements: `let`, and the tabular expression that is the query.
//!
//! <https://learn.microsoft.com/kusto/query/tabular-expression-statements>, `/let-statement`.

use super::{Failed, PIPELINES_MAX, Parse, Parser, is_symbol, is_word};
use crate::{
    diagnostic::{Diagnostic, Span},
    kql::{
        ast::{DataSource, Expr, ExprKind, Let, LetValue, NamedExpr, Pipeline, Query},
        token::TokenKind,
    },
};

/// Data sources that are known and not supported, where a data source may stand.
const UNSUPPORTED_SOURCES: &[&str] =
    &["union", "externaldata", "external_data", "find", "search", "evaluate", "macro-expand", "graph", "entity_group"];

/// Statements that are known and not supported.
const UNSUPPORTED_STATEMENTS: &[&str] = &["set", "declare", "alias", "restrict", "pattern"];

impl Parser {
    pub(super) fn query(&mut self) -> Option<Query> {
        let mut lets = Vec::new();
        let mut body: Option<Pipeline> = None;
        while !self.is_end() {
            if self.take_symbol(";") {
                continue;
            }
            let start = self.span();
            let statement = self.statement(&mut lets, &mut body);
            if statement.is_err() {
                self.skip_statement();
            } else if !self.is_end() && !self.is_symbol(";") {
                let _: Parse<()> = self.fail_expected("`|`, `;` or the end of the query");
                self.skip_statement();
            }
            debug_assert!(self.is_end() || self.span() != start, "every round reads something");
        }
        if body.is_none() && !self.diagnostics.iter().any(Diagnostic::is_error) {
            let message = "the query has no result: expected a table or another data source";
            let _: Parse<()> = self.fail(Diagnostic::error("KQL0202", self.span(), message));
        }
        Some(Query { lets, body: body? })
    }

    fn skip_statement(&mut self) {
        loop {
            self.skip_operator();
            if self.is_end() || self.is_symbol(";") {
                return;
            }
            self.advance();
        }
    }

    fn statement(&mut self, lets: &mut Vec<Let>, body: &mut Option<Pipeline>) -> Parse<()> {
        if self.is_word("let") {
            lets.push(self.let_statement()?);
            return Ok(());
        }
        let unsupported = UNSUPPORTED_STATEMENTS.iter().find(|word| self.is_word(word));
        if let Some(word) = unsupported.filter(|_| !is_symbol(self.ahead(1), "|")) {
            let message = format!("the statement `{word}` is not supported");
            return self.fail(Diagnostic::error("KQL0205", self.span(), message));
        }
        let pipeline = self.pipeline()?;
        if body.is_some() {
            let message = "a detection has one result, this is a second one";
            return self.fail(
                Diagnostic::error("KQL0206", pipeline.span, message).help("put each query into a file of its own"),
            );
        }
        *body = Some(pipeline);
        Ok(())
    }

    fn let_statement(&mut self) -> Parse<Let> {
        self.expect_word("let")?;
        let name = self.name("the name that `let` binds")?;
        self.expect_symbol("=")?;
        let value = self.let_value()?;
        if !self.is_symbol(";") {
            let message = format!("the `let` statement of `{}` does not end here with `;`", name.text);
            return self.fail(
                Diagnostic::error("KQL0203", self.span(), message).label("expected `;`").help("end it with `;`"),
            );
        }
        Ok(Let { name, value })
    }

    fn let_value(&mut self) -> Parse<LetValue> {
        let start = self.span().start;
        if self.is_function() {
            self.skip_operator_to_statement_end();
            return Ok(LetValue::Unsupported { construct: "user-defined function".into(), span: start..self.end() });
        }
        if self.starts_source() {
            return Ok(LetValue::Tabular(self.pipeline()?));
        }
        let expr = self.expression()?;
        if self.is_symbol("|") || matches!(expr.kind, ExprKind::Subquery(_)) {
            return Ok(LetValue::Tabular(self.inner_pipeline(expr)?));
        }
        Ok(LetValue::Scalar(expr))
    }

    fn skip_operator_to_statement_end(&mut self) {
        self.skip_operator();
        while self.is_symbol("|") {
            self.advance();
            self.skip_operator();
        }
    }

    /// Whether a function body follows: `(a: int) { ... }`, also behind `view`.
    fn is_function(&self) -> bool {
        let mut at = usize::from(self.is_word("view"));
        if !is_symbol(self.ahead(at), "(") {
            return false;
        }
        let mut open = 0_usize;
        loop {
            match &self.ahead(at).kind {
                TokenKind::Symbol("(") => open += 1,
                TokenKind::Symbol(")") => open = open.saturating_sub(1),
                TokenKind::End | TokenKind::Symbol(";") => return false,
                _ => {}
            }
            at += 1;
            if open == 0 {
                return is_symbol(self.ahead(at), "{");
            }
        }
    }

    /// Whether a data source other than a name starts here.
    pub(super) fn starts_source(&self) -> bool {
        let next = self.ahead(1);
        let names = matches!(next.kind, TokenKind::Identifier(_));
        self.is_word("datatable") && is_symbol(next, "(")
            || self.is_word("range") && names && is_word(self.ahead(2), "from")
            || self.is_word("print") && !is_symbol(next, "|") && !is_symbol(next, "=")
            || self.is_unsupported_source()
    }

    fn is_unsupported_source(&self) -> bool {
        let next = self.ahead(1);
        let starts = matches!(next.kind, TokenKind::Identifier(_) | TokenKind::String(_))
            || is_symbol(next, "(")
            || is_symbol(next, "*");
        UNSUPPORTED_SOURCES.iter().any(|word| self.is_word(word)) && starts
    }

    pub(super) fn pipeline(&mut self) -> Parse<Pipeline> {
        let start = self.span().start;
        if !self.starts_source() {
            let expr = self.expression()?;
            return self.inner_pipeline(expr);
        }
        self.inside_pipeline(|parser| {
            let source = parser.data_source()?;
            parser.operators(source, start)
        })
    }

    /// The pipeline whose data source has been read as an expression, one level further in.
    pub(super) fn inner_pipeline(&mut self, expr: Expr) -> Parse<Pipeline> {
        self.inside_pipeline(|parser| parser.pipeline_from(expr))
    }

    fn inside_pipeline(&mut self, read: impl FnOnce(&mut Self) -> Parse<Pipeline>) -> Parse<Pipeline> {
        if self.pipelines >= PIPELINES_MAX {
            let message = format!("more than {PIPELINES_MAX} tabular expressions stand inside one another");
            return self.fail(Diagnostic::error("KQL0204", self.span(), message).help("give them names with `let`"));
        }
        self.pipelines += 1;
        let pipeline = read(self);
        self.pipelines -= 1;
        pipeline
    }

    /// The pipeline whose data source has been read as an expression.
    fn pipeline_from(&mut self, expr: Expr) -> Parse<Pipeline> {
        let Expr { kind, span } = expr;
        let start = span.start;
        let unsupported = |construct: String, span: Span| DataSource::Unsupported { construct, span };
        let source = match kind {
            ExprKind::Name(text) => DataSource::Name(crate::kql::ast::Name { text, span }),
            ExprKind::Subquery(pipeline) => DataSource::Parenthesised(pipeline),
            ExprKind::Call { name, .. } => unsupported(format!("function call {}()", name.text), name.span),
            ExprKind::Member { member, .. } => unsupported("reference to another database".into(), member.span),
            _ => {
                let message = "expected a table or another data source";
                return self.fail(Diagnostic::error("KQL0202", span, message));
            }
        };
        self.operators(source, start)
    }

    fn operators(&mut self, source: DataSource, start: usize) -> Parse<Pipeline> {
        let mut operators = Vec::new();
        let mut failed = false;
        while self.take_symbol("|") {
            if let Ok(operator) = self.operator() {
                operators.push(operator);
            } else {
                failed = true;
                self.skip_operator();
            }
        }
        if failed { Err(Failed) } else { Ok(Pipeline { source, operators, span: start..self.end() }) }
    }

    fn data_source(&mut self) -> Parse<DataSource> {
        let start = self.span();
        if self.take_word("print") {
            let columns = self.named_expressions()?;
            return Ok(DataSource::Print { columns, span: start.start..self.end() });
        }
        if self.take_word("datatable") {
            return self.datatable(start.start);
        }
        if self.take_word("range") {
            let name = self.name("the name of the column")?;
            self.expect_word("from")?;
            let from = self.expression()?;
            self.expect_word("to")?;
            let to = self.expression()?;
            self.expect_word("step")?;
            let step = self.expression()?;
            return Ok(DataSource::Range { name, from, to, step, span: start.start..self.end() });
        }
        let TokenKind::Identifier(construct) = self.token().kind.clone() else {
            return self.fail_expected("a data source");
        };
        self.advance();
        self.skip_operator();
        Ok(DataSource::Unsupported { construct, span: start })
    }

    fn datatable(&mut self, start: usize) -> Parse<DataSource> {
        self.expect_symbol("(")?;
        let mut columns = Vec::new();
        while !self.is_symbol(")") {
            let name = self.name("the name of a column")?;
            self.expect_symbol(":")?;
            columns.push((name, self.name("the type of a column")?));
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        self.expect_symbol("[")?;
        let mut cells = Vec::new();
        while !self.is_symbol("]") {
            cells.push(self.expression()?);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol("]")?;
        Ok(DataSource::Datatable { columns, cells, span: start..self.end() })
    }

    /// `[name =] expression, ...`
    pub(super) fn named_expressions(&mut self) -> Parse<Vec<NamedExpr>> {
        let mut list = vec![self.named_expression()?];
        while self.take_symbol(",") {
            list.push(self.named_expression()?);
        }
        Ok(list)
    }

    fn named_expression(&mut self) -> Parse<NamedExpr> {
        if let Some(span) = self.several_names() {
            let message = "giving several names to the results of one expression is not supported";
            return self.fail(Diagnostic::error("KQL0207", span, message));
        }
        let quoted = self.is_symbol("[") && is_symbol(self.ahead(3), "=");
        let plain = matches!(self.token().kind, TokenKind::Identifier(_)) && is_symbol(self.ahead(1), "=");
        let name = if quoted || plain {
            self.refuse_reserved()?;
            let name = self.name("a name")?;
            self.expect_symbol("=")?;
            Some(name)
        } else {
            None
        };
        Ok(NamedExpr { name, expr: self.expression()? })
    }

    /// `(name, name) =` ahead, and where.
    fn several_names(&self) -> Option<Span> {
        let mut at = 1;
        while self.is_symbol("(") && matches!(self.ahead(at).kind, TokenKind::Identifier(_)) {
            match &self.ahead(at + 1).kind {
                TokenKind::Symbol(",") => at += 2,
                TokenKind::Symbol(")") if is_symbol(self.ahead(at + 2), "=") => {
                    return Some(self.span().start..self.ahead(at + 1).span.end);
                }
                _ => return None,
            }
        }
        None
    }
}
