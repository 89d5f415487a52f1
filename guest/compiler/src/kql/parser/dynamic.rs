//! `dynamic(...)`: JSON with KQL's string forms, and datetimes and timespans as elements.
//!
//! <https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic>.

use serde_json::{Map, Number, Value};

use super::{Parse, Parser, expr::boolean};
use crate::kql::{ast::Literal, literal, token::TokenKind};

impl Parser {
    /// Reads the parentheses behind `dynamic`.
    pub(super) fn dynamic(&mut self) -> Parse<Value> {
        self.expect_symbol("(")?;
        let value = self.dynamic_value()?;
        self.expect_symbol(")")?;
        Ok(value)
    }

    fn dynamic_value(&mut self) -> Parse<Value> {
        self.nested(|parser| {
            if parser.take_symbol("[") {
                return parser.dynamic_array();
            }
            if parser.take_symbol("{") {
                return parser.dynamic_object();
            }
            if matches!(parser.token().kind, TokenKind::String(_)) {
                return Ok(Value::String(parser.strings()));
            }
            let negative = parser.take_symbol("-");
            let value = match parser.token().kind.clone() {
                TokenKind::Long(value) => Value::from(if negative { value.wrapping_neg() } else { value }),
                TokenKind::Real(value) => {
                    Number::from_f64(if negative { -value } else { value }).map_or(Value::Null, Value::Number)
                }
                _ if negative => return parser.fail_expected("a number"),
                TokenKind::String(_) => return Ok(Value::String(parser.strings())),
                TokenKind::Identifier(word) if boolean(&word).is_some() => {
                    boolean(&word).map_or(Value::Null, Value::Bool)
                }
                TokenKind::Identifier(word) if word == "null" => Value::Null,
                TokenKind::Timespan(ticks) => Value::String(literal::timespan_text(ticks)),
                TokenKind::Typed { ty, text } => json(parser.typed_literal(&ty, &text)?),
                _ => return parser.fail_expected("a value of JSON: a constant, `[` or `{`"),
            };
            parser.advance();
            Ok(value)
        })
    }

    fn dynamic_array(&mut self) -> Parse<Value> {
        let mut elements = Vec::new();
        if self.take_symbol("]") {
            return Ok(Value::Array(elements));
        }
        loop {
            self.warn_of_joined_strings();
            elements.push(self.dynamic_value()?);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol("]")?;
        Ok(Value::Array(elements))
    }

    fn dynamic_object(&mut self) -> Parse<Value> {
        let mut members = Map::new();
        if self.take_symbol("}") {
            return Ok(Value::Object(members));
        }
        loop {
            let TokenKind::String(key) = self.token().kind.clone() else {
                return self.fail_expected("a property name in quotes");
            };
            self.advance();
            self.expect_symbol(":")?;
            let value = self.dynamic_value()?;
            members.insert(key, value);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol("}")?;
        Ok(Value::Object(members))
    }
}

/// A typed literal as an element of JSON.
fn json(literal: Literal) -> Value {
    match literal {
        Literal::Datetime(ticks) => Value::String(literal::datetime_text(ticks)),
        Literal::Timespan(ticks) => Value::String(literal::timespan_text(ticks)),
        Literal::Long(value) | Literal::Int(value) => Value::from(value),
        Literal::Bool(value) => Value::Bool(value),
        Literal::Real(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Literal::Guid(text) | Literal::String(text) => Value::String(text),
        Literal::Dynamic(value) => value,
        Literal::Null(_) => Value::Null,
    }
}
