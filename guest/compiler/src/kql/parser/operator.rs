//! Tabular operators: <https://learn.microsoft.com/kusto/query/tabular-operators>.

use super::{Parse, Parser, is_symbol};
use crate::kql::{
    ast::{Operator, OperatorKind, OrderedExpr},
    token::TokenKind,
};

impl Parser {
    /// The operator behind a `|`.
    pub(super) fn operator(&mut self) -> Parse<Operator> {
        let start = self.span().start;
        let keyword = self.operator_keyword()?;
        let kind = match keyword.as_str() {
            "where" | "filter" => {
                self.skip_hints();
                OperatorKind::Where(self.expression()?)
            }
            "project" => OperatorKind::Project(self.named_expressions()?),
            "extend" => OperatorKind::Extend(self.named_expressions()?),
            "summarize" => self.summarize()?,
            "distinct" => {
                self.skip_hints();
                let mut columns = vec![self.expression()?];
                while self.take_symbol(",") {
                    columns.push(self.expression()?);
                }
                OperatorKind::Distinct(columns)
            }
            "count" => OperatorKind::Count,
            "sort" | "order" => {
                self.skip_hints();
                self.expect_word("by")?;
                OperatorKind::Sort(self.ordered_expressions()?)
            }
            "top" => {
                self.skip_hints();
                let rows = self.expression()?;
                self.expect_word("by")?;
                OperatorKind::Top { rows, by: self.ordered_expressions()? }
            }
            "take" | "limit" => OperatorKind::Take(self.expression()?),
            _ => {
                self.skip_operator();
                OperatorKind::Unsupported(keyword)
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
