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
    ">", "+", "-", "*", "/", "%", ".", "!", "~", "@", "?", "&", "^",
];

/// Words that stand for a literal when a parenthesis follows at once; what is between the parentheses is not KQL.
const TYPED: &[&str] =
    &["datetime", "date", "timespan", "time", "guid", "bool", "long", "int", "real", "double", "decimal"];

/// The lengths of the groups of a GUID.
const GUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

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
        if self.string(start) || self.bare_guid(start) {
            return true;
        }
        if c.is_ascii_digit() {
            self.number(start);
        } else if is_name_start(c) {
            self.word(start);
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            self.at += symbol.len();
            self.push(TokenKind::Symbol(symbol), start);
        } else if c.is_alphabetic() {
            self.foreign_word(start);
        } else if c == '#' {
            self.skip_while(|c| c != '\n');
            self.error("KQL0110", start, "directives (`#...`) are not supported");
        } else {
            self.at += c.len_utf8();
            let message = format!("the character {} has no meaning in KQL", c.escape_debug());
            self.error("KQL0102", start, message);
        }
        true
    }

    /// Outside ASCII there are no letters of names; other names stand in brackets and quotes.
    fn foreign_word(&mut self, start: usize) {
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        let word = self.text.get(start..self.at).unwrap_or_default();
        let message = format!("the name `{word}` has letters that only a quoted name may have");
        let help = format!("write ['{word}']");
        self.diagnostics.push(Diagnostic::error("KQL0102", start..self.at, message).help(help));
        self.push(TokenKind::Identifier(word.to_owned()), start);
    }

    fn word(&mut self, start: usize) {
        // What may start a name need not be able to go on with it: `$`.
        self.at += self.peek().map_or(0, char::len_utf8);
        self.skip_while(is_name_part);
        let word = self.text.get(start..self.at).unwrap_or_default();
        match self.rest().strip_prefix('(').filter(|_| TYPED.contains(&word)) {
            Some(inner) => self.typed(start, word, inner),
            None => self.push(TokenKind::Identifier(word.to_owned()), start),
        }
    }

    /// Reads what follows the parenthesis behind a type's name; such a literal ends on its line.
    fn typed(&mut self, start: usize, ty: &str, inner: &str) {
        let end = inner.find([')', '\n', '\r']).unwrap_or(inner.len());
        self.at += 1 + end;
        let text = inner.get(..end).unwrap_or_default().trim().to_owned();
        if self.peek() == Some(')') {
            self.at += 1;
        } else {
            self.error("KQL0105", start, format!("the literal `{ty}(` has no closing `)` on its line"));
        }
        self.push(TokenKind::Typed { ty: ty.to_owned(), text }, start);
    }

    /// Reads a GUID without `guid(...)`, which Kusto takes in commands only; false when none starts here.
    fn bare_guid(&mut self, start: usize) -> bool {
        let length = GUID_GROUPS.iter().sum::<usize>() + GUID_GROUPS.len() - 1;
        let is_guid = |text: &&str| {
            let is_group = |(group, length): (&str, &usize)| group.len() == *length && group.bytes().all(is_hex);
            text.split('-').count() == GUID_GROUPS.len() && text.split('-').zip(&GUID_GROUPS).all(is_group)
        };
        let Some(text) = self.rest().get(..length).filter(is_guid) else { return false };
        self.at += length;
        let help = format!("write guid({text}), or quote it if the column is text");
        self.diagnostics
            .push(Diagnostic::error("KQL0108", start..self.at, "a bare GUID has no meaning here").help(help));
        self.push(TokenKind::Typed { ty: "guid".to_owned(), text: text.to_owned() }, start);
        true
    }

    fn number(&mut self, start: usize) {
        if let Some(hex) = self.rest().strip_prefix("0x").or_else(|| self.rest().strip_prefix("0X"))
            && hex.starts_with(|c: char| c.is_ascii_hexdigit())
        {
            self.at += 2;
            self.skip_while(|c| c.is_ascii_hexdigit());
            let digits = self.text.get(start + 2..self.at).unwrap_or_default();
            let value = u64::from_str_radix(digits, 16).ok().map(u64::cast_signed);
            self.long(start, value);
            return;
        }
        self.skip_while(|c| c.is_ascii_digit());
        let mut real = false;
        if self.has_fraction() {
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
                    self.push(TokenKind::Timespan(ticks), start);
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
        } else {
            self.long(start, digits.parse().ok());
        }
    }

    fn long(&mut self, start: usize, value: Option<i64>) {
        if value.is_none() {
            self.error("KQL0103", start, "the number does not fit 64 bits");
        }
        self.push(TokenKind::Long(value.unwrap_or_default()), start);
    }

    /// Whether the dot here belongs to a number: `1.5` and `1.`, but neither `1..5` nor `1.name`.
    fn has_fraction(&self) -> bool {
        let mut characters = self.rest().chars();
        characters.next() == Some('.') && characters.next().is_none_or(|c| c != '.' && !is_name_start(c))
    }

    /// Reads a string literal of any form; false when none starts here.
    fn string(&mut self, start: usize) -> bool {
        let rest = self.rest();
        // h or H hides the literal in logs; it changes nothing else.
        let hidden = rest.strip_prefix(['h', 'H']).filter(|rest| rest.starts_with(['"', '\'', '@', '`', '~']));
        let body = hidden.unwrap_or(rest);
        let verbatim = body.strip_prefix('@').filter(|rest| rest.starts_with(['"', '\'']));
        let fenced = body.strip_prefix('@').filter(|rest| rest.starts_with("```")).unwrap_or(body);
        if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| fenced.starts_with(fence)) {
            let opening = rest.len() - fenced.len();
            self.at += opening + fence.len();
            self.fenced(start, fence);
            return true;
        }
        let Some(quote) = verbatim.unwrap_or(body).chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return false;
        };
        self.at += rest.len() - verbatim.unwrap_or(body).len() + 1;
        if verbatim.is_some() {
            self.verbatim(start, quote);
        } else {
            self.escaped(start, quote);
        }
        true
    }

    fn fenced(&mut self, start: usize, fence: &str) {
        let rest = self.rest();
        let Some(end) = rest.find(fence) else {
            self.at = self.text.len();
            let message = format!("the string has no closing {fence}");
            self.error("KQL0105", start, message);
            self.push(TokenKind::String(rest.to_owned()), start);
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
                value.push(c);
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
                // Three digits only up to \377.
                let longest = if c <= '3' { 3 } else { 2 };
                let digits = rest.chars().take(longest).take_while(|c| ('0'..='7').contains(c)).count();
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
    c.is_ascii_alphabetic() || matches!(c, '_' | '$')
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
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
