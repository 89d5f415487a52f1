//! Tokens to syntax tree: recursive descent for statements and operators, precedence climbing for expressions.
//!
//! An error ends the operator that it is in; the parser goes on behind the next `|` or `;`, so one reading finds several.
//! Nesting and chains are limited, so nobody who walks the tree recursively can run out of stack.

mod dynamic;
mod expr;
mod operator;
mod statement;

use super::{
    ast::{Name, Query},
    lexer,
    token::{Token, TokenKind},
};
use crate::diagnostic::{Diagnostic, Span};

/// The greatest height of an expression.
pub const HEIGHT_MAX: u32 = 150;

/// How many pipelines may stand inside one another; each may have expressions of [`HEIGHT_MAX`].
const PIPELINES_MAX: u32 = 8;

/// How many errors and warnings are reported; what comes later is most likely a consequence.
const DIAGNOSTICS_MAX: usize = 20;

/// Words that are no names unless they are quoted: operators that stand between expressions, and types.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "in",
    "has",
    "has_cs",
    "has_any",
    "has_all",
    "hasprefix",
    "hassuffix",
    "contains",
    "contains_cs",
    "startswith",
    "endswith",
    "like",
    "between",
    "by",
    "asc",
    "desc",
    "date",
    "datetime",
    "time",
    "timespan",
    "int",
    "long",
    "real",
    "double",
    "decimal",
    "string",
    "boolean",
    "dynamic",
];

/// What there is behind the last token.
static END: Token = Token { kind: TokenKind::End, span: 0..0 };

/// What parsing gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The query, unless an error was found.
    pub query: Option<Query>,
    /// Spans are bytes of the query's text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a query.
pub fn parse(text: &str) -> Parsed {
    let (tokens, diagnostics) = lexer::tokens(text);
    let mut parser = Parser { tokens, at: 0, height: 0, pipelines: 0, diagnostics };
    let query = parser.query();
    let mut diagnostics = parser.diagnostics;
    let query = query.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    // Errors first, so that none is lost to warnings.
    diagnostics.sort_by_key(|diagnostic| (!diagnostic.is_error(), diagnostic.span.start));
    diagnostics.truncate(DIAGNOSTICS_MAX);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Parsed { query, diagnostics }
}

/// An error has been reported; the caller gives up what it was reading.
#[derive(Clone, Copy, Debug)]
struct Failed;

type Parse<T> = Result<T, Failed>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// How many constructs are being read inside one another.
    height: u32,
    /// How many pipelines are being read inside one another.
    pipelines: u32,
    diagnostics: Vec<Diagnostic>,
}

impl Parser {
    fn token(&self) -> &Token {
        self.ahead(0)
    }

    /// The token `by` places on; past the end, the end.
    fn ahead(&self, by: usize) -> &Token {
        // The lexer always gives at least one token, the end.
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.at.saturating_add(by).min(last)).unwrap_or(&END)
    }

    fn span(&self) -> Span {
        self.token().span.clone()
    }

    /// The end of the token before this one.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1).min(self.tokens.len().saturating_sub(1));
    }

    fn is_end(&self) -> bool {
        self.token().kind == TokenKind::End
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        is_symbol(self.token(), symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        is_word(self.token(), word)
    }

    /// Whether the next token begins where this one ends.
    fn is_adjacent(&self, by: usize) -> bool {
        self.ahead(by).span.end == self.ahead(by + 1).span.start
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect_symbol(&mut self, symbol: &'static str) -> Parse<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.fail_expected(&format!("`{symbol}`")) }
    }

    fn expect_word(&mut self, word: &'static str) -> Parse<()> {
        if self.take_word(word) { Ok(()) } else { self.fail_expected(&format!("`{word}`")) }
    }

    fn fail_expected<T>(&mut self, expected: &str) -> Parse<T> {
        let message = format!("expected {expected}, found {}", self.token().describe());
        let error = Diagnostic::error("KQL0201", self.span(), message).label(format!("expected {expected}"));
        let compares = self.is_symbol("=");
        self.fail(if compares { error.help("`==` compares, `=` gives a name") } else { error })
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Parse<T> {
        self.diagnostics.push(diagnostic);
        Err(Failed)
    }

    /// Reads one construct inside another.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.height >= HEIGHT_MAX {
            return self.too_high(self.span());
        }
        self.height += 1;
        let outcome = read(self);
        self.height -= 1;
        outcome
    }

    fn too_high<T>(&mut self, span: Span) -> Parse<T> {
        let message = format!("this is nested or chained more than {HEIGHT_MAX} levels deep");
        self.fail(Diagnostic::error("KQL0204", span, message).help("put parts of it into `let` statements"))
    }

    /// A name, plain or as `['quoted']`.
    fn name(&mut self, what: &str) -> Parse<Name> {
        if let Some(name) = self.quoted_name() {
            return Ok(name);
        }
        let Token { kind: TokenKind::Identifier(text), span } = self.token().clone() else {
            return self.fail_expected(what);
        };
        self.advance();
        Ok(Name { text, span })
    }

    /// Refuses a word that Kusto takes as a name only when it is quoted.
    fn refuse_reserved(&mut self) -> Parse<()> {
        let TokenKind::Identifier(word) = &self.token().kind else { return Ok(()) };
        if !RESERVED.contains(&word.as_str()) {
            return Ok(());
        }
        let message = format!("`{word}` is a keyword, where a name or an expression is expected");
        let help = format!("something is missing before it; a column of that name is written ['{word}']");
        self.fail(Diagnostic::error("KQL0210", self.span(), message).help(help))
    }

    /// `['name']`
    fn quoted_name(&mut self) -> Option<Name> {
        let TokenKind::String(text) = &self.ahead(1).kind else { return None };
        if !self.is_symbol("[") || !is_symbol(self.ahead(2), "]") {
            return None;
        }
        let name = Name { text: text.clone(), span: self.span().start..self.ahead(2).span.end };
        (0..3).for_each(|_| self.advance());
        Some(name)
    }

    /// Skips to the next `|`, `;` or closing parenthesis that is not inside brackets opened on the way.
    fn skip_operator(&mut self) {
        let mut open = 0_usize;
        while !self.is_end() {
            match &self.token().kind {
                TokenKind::Symbol("(" | "[" | "{") => open += 1,
                TokenKind::Symbol(")" | "]" | "}" | "|" | ";") if open == 0 => return,
                TokenKind::Symbol(")" | "]" | "}") => open -= 1,
                _ => {}
            }
            self.advance();
        }
    }
}

fn is_symbol(token: &Token, symbol: &str) -> bool {
    matches!(&token.kind, TokenKind::Symbol(found) if *found == symbol)
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(&token.kind, TokenKind::Identifier(found) if found == word)
}
