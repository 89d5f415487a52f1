//! Tabular operators: <https://learn.microsoft.com/kusto/query/tabular-operators>.

use super::{Parse, Parser, is_symbol};
use crate::{
    diagnostic::Diagnostic,
    kql::{
        ast::{Operator, OperatorKind, OrderedExpr},
        token::TokenKind,
    },
};

/// Kusto's other tabular operators, old spellings included.
const UNSUPPORTED_OPERATORS: &[&str] = &[
    "as",
    "assert-schema",
    "consume",
    "evaluate",
    "execute_and_cache",
    "facet",
    "find",
    "fork",
    "getschema",
    "graph-mark-components",
    "graph-match",
    "graph-merge",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-where-edges",
    "graph-where-nodes",
    "invoke",
    "join",
    "lookup",
    "macro-expand",
    "make-graph",
    "make-series",
    "mv-apply",
    "mv-expand",
    "mvapply",
    "mvexpand",
    "parse",
    "parse-kv",
    "parse-where",
    "partition",
    "project-away",
    "project-by-names",
    "project-keep",
    "project-rename",
    "project-reorder",
    "project-smart",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "top-hitters",
    "top-nested",
    "union",
];

impl Parser {
    /// The operator behind a `|`.
    pub(super) fn operator(&mut self) -> Parse<Operator> {
        let start = self.span().start;
        let keyword = self.operator_keyword()?;
        let kind = match keyword.as_str() {
            "where" | "filter" => OperatorKind::Where(self.expression()?),
            "project" => OperatorKind::Project(self.named_expressions()?),
            "extend" => OperatorKind::Extend(self.named_expressions()?),
            "summarize" => self.summarize()?,
            "distinct" => {
                let mut columns = vec![self.expression()?];
                while self.take_symbol(",") {
                    columns.push(self.expression()?);
                }
                OperatorKind::Distinct(columns)
            }
            "count" => self.count()?,
            "sort" | "order" => {
                self.expect_word("by")?;
                OperatorKind::Sort(self.ordered_expressions()?)
            }
            "top" => {
                let rows = self.expression()?;
                self.expect_word("by")?;
                OperatorKind::Top { rows, by: vec![self.only_key()?] }
            }
            "take" | "limit" => OperatorKind::Take(self.expression()?),
            known if UNSUPPORTED_OPERATORS.contains(&known) => {
                self.skip_operator();
                OperatorKind::Unsupported(keyword)
            }
            _ => {
                let message = format!("`{keyword}` is no tabular operator");
                let help = "an operator such as `where` stands behind `|`; write `| where ...` before a condition";
                return self.fail(Diagnostic::error("KQL0209", start..self.end(), message).help(help));
            }
        };
        Ok(Operator { kind, span: start..self.end() })
    }

    /// A keyword, with the hyphens of `mv-expand` and its like.
    fn operator_keyword(&mut self) -> Parse<String> {
        let TokenKind::Identifier(mut keyword) = self.token().kind.clone() else {
            return self.fail_expected("an operator such as `where`");
        };
        while self.is_adjacent(0) && is_symbol(self.ahead(1), "-") && self.is_adjacent(1) {
            let TokenKind::Identifier(more) = &self.ahead(2).kind else { break };
            keyword = format!("{keyword}-{more}");
            self.advance();
            self.advance();
        }
        self.advance();
        Ok(keyword)
    }

    /// Skips `hint.name = value`: hints say how to run a query, not what it means.
    fn skip_hints(&mut self) {
        while self.is_word("hint") && is_symbol(self.ahead(1), ".") && is_symbol(self.ahead(3), "=") {
            (0..5).for_each(|_| self.advance());
        }
    }

    fn count(&mut self) -> Parse<OperatorKind> {
        if self.is_word("as") {
            let message = "naming the column of `count` with `as` is not supported";
            let help = "write `| summarize Name = count()`";
            return self.fail(Diagnostic::error("KQL0208", self.span(), message).help(help));
        }
        Ok(OperatorKind::Count)
    }

    /// The key of `top`, which unlike `sort` has one.
    fn only_key(&mut self) -> Parse<OrderedExpr> {
        let key = self.ordered_expression()?;
        if self.is_symbol(",") {
            let message = "`top` orders by one expression";
            let help = "write `| sort by ..., ... | take N`";
            return self.fail(Diagnostic::error("KQL0201", self.span(), message).help(help));
        }
        Ok(key)
    }

    fn summarize(&mut self) -> Parse<OperatorKind> {
        self.skip_hints();
        let aggregates =
            if self.is_word("by") && !is_symbol(self.ahead(1), "=") { Vec::new() } else { self.named_expressions()? };
        let by = if self.take_word("by") { self.named_expressions()? } else { Vec::new() };
        Ok(OperatorKind::Summarize { aggregates, by })
    }

    fn ordered_expressions(&mut self) -> Parse<Vec<OrderedExpr>> {
        let mut list = vec![self.ordered_expression()?];
        while self.take_symbol(",") {
            list.push(self.ordered_expression()?);
        }
        Ok(list)
    }

    fn ordered_expression(&mut self) -> Parse<OrderedExpr> {
        let expr = self.expression()?;
        let ascending = self.choice("asc", "desc");
        let nulls_first = if self.take_word("nulls") {
            let Some(first) = self.choice("first", "last") else {
                return self.fail_expected("`first` or `last`");
            };
            Some(first)
        } else {
            None
        };
        Ok(OrderedExpr { expr, ascending, nulls_first })
    }

    /// True for the one word, false for the other, `None` for neither.
    fn choice(&mut self, yes: &str, no: &str) -> Option<bool> {
        if self.take_word(yes) {
            Some(true)
        } else if self.take_word(no) {
            Some(false)
        } else {
            None
        }
    }
}
