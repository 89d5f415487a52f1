//! KQL text to tokens.
//!
//! Forms of literals: <https://learn.microsoft.com/kusto/query/scalar-data-types/string>, `/real`, `/timespan`. A lexical
//! error is reported and the lexer goes on behind it, so the parser always gets tokens up to the end of the text.

use super::{
    literal,
    token::{Token, TokenKind},
};
use crate::diagnostic::Diagnostic;

/// The longest query that is read, in bytes.
pub const QUERY_BYTES_MAX: usize = 1 << 20;

/// Symbols, the longer before their prefixes.
const SYMBOLS: &[&str] = &[
    "==", "!=", "=~", "!~", "<>", "<=", ">=", "=>", "..", "(", ")", "[", "]", "{", "}", ",", ";", ":", "|", "=", "<",
    ">", "+", "-", "*", "/", "%", ".", "!", "~", "@", "?", "#", "&", "^",
];

/// Words that stand for a literal when a parenthesis follows; what is between the parentheses is not KQL.
const TYPED: &[&str] = &[
    "datetime", "date", "timespan", "time", "guid", "bool", "boolean", "long", "int", "int32", "int64", "real",
    "double", "decimal", "string",
];

/// The tokens of a text, ending with one [`TokenKind::End`], and what is wrong with it.
pub(super) fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), diagnostics: Vec::new() };
    if text.len() > QUERY_BYTES_MAX {
        let message = format!("the query is longer than {QUERY_BYTES_MAX} bytes");
        lexer.diagnostics.push(Diagnostic::error("KQL0101", 0..0, message));
    } else {
        while lexer.next_token() {}
    }
    lexer.tokens.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    (lexer.tokens, lexer.diagnostics)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: start..self.at });
    }

    fn error(&mut self, code: &'static str, start: usize, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, start..self.at, message));
    }

    /// Goes on to the first character that `keep` refuses.
    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
    }

    fn skip_trivia(&mut self) {
        loop {
            // Zero-width spaces and byte order marks come along when queries are copied from web pages.
            self.skip_while(|c| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'));
            if self.rest().starts_with("//") {
                self.skip_while(|c| c != '\n');
            } else {
                return;
            }
        }
    }

    /// Reads one token; false at the end.
    fn next_token(&mut self) -> bool {
        self.skip_trivia();
        let start = self.at;
        let Some(c) = self.peek() else { return false };
        if self.string(start) {
            return true;
        }
        if c.is_ascii_digit() {
            self.number(start);
        } else if is_name_start(c) {
            self.word(start);
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            self.at += symbol.len();
            self.push(TokenKind::Symbol(symbol), start);
        } else {
            self.at += c.len_utf8();
            let message = format!("the character {} has no meaning in KQL", c.escape_debug());
            self.error("KQL0102", start, message);
        }
        true
    }

    fn word(&mut self, start: usize) {
        // What may start a name need not be able to go on with it: `$`.
        self.at += self.peek().map_or(0, char::len_utf8);
        self.skip_while(is_name_part);
        let word = self.text.get(start..self.at).unwrap_or_default();
        let lower = word.to_ascii_lowercase();
        if TYPED.contains(&lower.as_str()) && self.typed(start, lower) {
            return;
        }
        self.push(TokenKind::Identifier(word.to_owned()), start);
    }

    /// Reads `(...)` behind a type's name; false when there is none.
    fn typed(&mut self, start: usize, ty: String) -> bool {
        let rest = self.rest();
        let inner = rest.trim_start();
        let Some(inner) = inner.strip_prefix('(') else { return false };
        let Some(close) = inner.find([')', '(', '|', ';']) else { return false };
        if !inner.get(close..).is_some_and(|rest| rest.starts_with(')')) {
            return false;
        }
        let text = inner.get(..close).unwrap_or_default().trim().to_owned();
        self.at += rest.len() - inner.len() + close + 1;
        self.push(TokenKind::Typed { ty, text }, start);
        true
    }

    fn number(&mut self, start: usize) {
        if let Some(hex) = self.rest().strip_prefix("0x").or_else(|| self.rest().strip_prefix("0X"))
            && hex.starts_with(|c: char| c.is_ascii_hexdigit())
        {
            self.at += 2;
            self.skip_while(|c| c.is_ascii_hexdigit());
            let digits = self.text.get(start + 2..self.at).unwrap_or_default();
            match u64::from_str_radix(digits, 16) {
                Ok(value) => self.push(TokenKind::Long(value.cast_signed()), start),
                Err(_) => self.error("KQL0103", start, "the number does not fit 64 bits"),
            }
            return;
        }
        self.skip_while(|c| c.is_ascii_digit());
        let mut real = false;
        if self.rest().starts_with('.') && self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) {
            real = true;
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        if exponent.is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit())) {
            real = true;
            self.at += 1;
            self.skip_while(|c| matches!(c, '+' | '-'));
            self.skip_while(|c| c.is_ascii_digit());
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        let unit_start = self.at;
        self.skip_while(is_name_part);
        let unit = self.text.get(unit_start..self.at).unwrap_or_default();
        if unit.is_empty() {
            self.plain_number(start, digits, real);
            return;
        }
        match literal::unit_ticks(unit) {
            // Kusto lets a name start with digits.
            None => self.push(TokenKind::Identifier(format!("{digits}{unit}")), start),
            Some(ticks) => {
                if let Some(ticks) = literal::scaled(digits, ticks) {
                    self.push(TokenKind::Timespan(ticks), start)
                } else {
                    self.error("KQL0104", start, "the timespan is longer than any that KQL has");
                    self.push(TokenKind::Timespan(0), start);
                }
            }
        }
    }

    fn plain_number(&mut self, start: usize, digits: &str, real: bool) {
        if real {
            self.push(TokenKind::Real(digits.parse().unwrap_or(f64::INFINITY)), start);
        } else if let Ok(value) = digits.parse() {
            self.push(TokenKind::Long(value), start);
        } else {
            self.error("KQL0103", start, "the number does not fit 64 bits");
            self.push(TokenKind::Long(0), start);
        }
    }

    /// Reads a string literal of any form; false when none starts here.
    fn string(&mut self, start: usize) -> bool {
        let rest = self.rest();
        // h or H hides the literal in logs; it changes nothing else.
        let hidden = rest.strip_prefix(['h', 'H']).filter(|rest| rest.starts_with(['"', '\'', '@', '`', '~']));
        let body = hidden.unwrap_or(rest);
        let verbatim = body.strip_prefix('@').filter(|rest| rest.starts_with(['"', '\'']));
        let opening = rest.len() - verbatim.unwrap_or(body).len();
        if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| body.starts_with(fence)) {
            self.at += opening + fence.len();
            self.fenced(start, fence);
            return true;
        }
        let Some(quote) = verbatim.unwrap_or(body).chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return false;
        };
        self.at += opening + 1;
        if verbatim.is_some() {
            self.verbatim(start, quote)
        } else {
            self.escaped(start, quote)
        }
        true
    }

    fn fenced(&mut self, start: usize, fence: &str) {
        let rest = self.rest();
        let Some(end) = rest.find(fence) else {
            self.at = self.text.len();
            let message = format!("the string has no closing {fence}");
            self.error("KQL0105", start, message);
            return;
        };
        self.at += end + fence.len();
        self.push(TokenKind::String(rest.get(..end).unwrap_or_default().to_owned()), start);
    }

    fn verbatim(&mut self, start: usize, quote: char) {
        let mut value = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '\n' | '\r')) {
            self.at += c.len_utf8();
            if c == quote {
                // A doubled quote stands for one.
                if self.peek() != Some(quote) {
                    self.push(TokenKind::String(value), start);
                    return;
                }
                self.at += quote.len_utf8();
            }
            value.push(c);
        }
        self.unclosed(start, quote);
    }

    fn escaped(&mut self, start: usize, quote: char) {
        let mut value = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '\n' | '\r')) {
            let at = self.at;
            self.at += c.len_utf8();
            if c == quote {
                self.push(TokenKind::String(value), start);
                return;
            }
            if c != '\\' {
                value.push(c);
                continue;
            }
            if let Some(c) = self.escape() {
                value.push(c)
            } else {
                let diagnostic = Diagnostic::error("KQL0106", at..self.at, "this is not an escape sequence")
                    .help("write \\\\ for a backslash, or put @ before the string to take backslashes as they are");
                self.diagnostics.push(diagnostic);
            }
        }
        self.unclosed(start, quote);
    }

    fn unclosed(&mut self, start: usize, quote: char) {
        self.diagnostics.push(
            Diagnostic::error("KQL0105", start..self.at, format!("the string has no closing {quote}"))
                .help("a string ends on its line; use ``` for one over several lines"),
        );
        self.push(TokenKind::String(String::new()), start);
    }

    /// Reads what follows a backslash; `None` when it means nothing.
    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        if matches!(c, '\n' | '\r') {
            return None;
        }
        self.at += c.len_utf8();
        Some(match c {
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            'x' => self.code(2, 16)?,
            '0'..='7' => {
                self.at -= 1;
                let rest = self.rest();
                let digits = rest.chars().take(3).take_while(|c| ('0'..='7').contains(c)).count();
                self.code(digits, 8)?
            }
            _ => return None,
        })
    }

    fn code(&mut self, digits: usize, radix: u32) -> Option<char> {
        let text = self.rest().get(..digits).filter(|text| text.chars().all(|c| c.is_digit(radix)))?;
        self.at += digits;
        let unit = u32::from_str_radix(text, radix).ok()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        // A surrogate pair: two \u escapes for one character.
        let low = self.rest().strip_prefix("\\u").and_then(|rest| rest.get(..4))?;
        let low = u32::from_str_radix(low, 16).ok().filter(|low| (0xdc00..0xe000).contains(low))?;
        self.at += 6;
        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let (tokens, diagnostics) = tokens(text);
        assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
        tokens.into_iter().map(|token| token.kind).filter(|kind| *kind != TokenKind::End).collect()
    }

    #[test]
    fn strings_have_many_forms() {
        for (text, value) in [
            (r#""a\tb""#, "a\tb"),
            (r"'it\'s'", "it's"),
            (r"@'C:\x'", r"C:\x"),
            (r"@'it''s'", "it's"),
            ("h'x'", "x"),
            (r"h@'\x'", r"\x"),
            ("```a\n'b'```", "a\n'b'"),
            ("~~~a~~~", "a"),
            (r"'\u00e9\x41\101'", "éAA"),
            (r"'\ud83d\ude00'", "😀"),
        ] {
            assert_eq!(kinds(text), [TokenKind::String(value.into())], "{text}");
        }
    }

    #[test]
    fn numbers_and_timespans() {
        use TokenKind::{Long, Real, Symbol, Timespan};
        for (text, value) in [
            ("0x1F", Long(31)),
            ("1.5", Real(1.5)),
            ("1e3", Real(1000.0)),
            ("5d", Timespan(5 * 864_000_000_000)),
            ("1.5h", Timespan(54_000_000_000)),
            ("100ms", Timespan(1_000_000)),
            ("1tick", Timespan(1)),
            ("10microseconds", Timespan(100)),
        ] {
            assert_eq!(kinds(text), [value], "{text}");
        }
        assert_eq!(kinds("1..5"), [Long(1), Symbol(".."), Long(5)]);
    }

    #[test]
    fn errors_point_at_the_characters() {
        for (text, code, span) in [
            ("where 'abc", "KQL0105", 6..10),
            (r"'a\qb'", "KQL0106", 2..4),
            ("99999999999d", "KQL0104", 0..12),
            ("99999999999999999999", "KQL0103", 0..20),
            ("a § b", "KQL0102", 2..4),
        ] {
            let (_, diagnostics) = tokens(text);
            assert_eq!((diagnostics[0].code, diagnostics[0].span.clone()), (code, span), "{text}");
        }
    }
}
