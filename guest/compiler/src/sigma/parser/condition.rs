//! Conditions over search identifiers ("Condition"): `selection and not 1 of filter_*`.
//!
//! Keywords are read in any case, names of searches as they are written. A condition comes from a stranger: it is limited
//! in words and in depth, so neither this parser nor whoever walks its tree can be made to run out of stack.

use std::ops::Range;

use super::{
    ast::{Condition, SearchIdentifier},
    codes,
    report::{Places, Report},
};
use crate::{diagnostic::Span, suggest, yaml::Node};

/// How many words, and parentheses, the conditions of one detection may have.
pub(super) const WORDS_MAX: usize = 4_096;

/// How deep `not` and parentheses may nest.
const DEPTH_MAX: usize = 64;

/// How many names a message lists.
const SHOWN_MAX: usize = 12;

const SHAPE_HELP: &str = "a condition reads like `selection and not 1 of filter_*`";

/// What went wrong has been reported.
struct Reported;

struct Token<'c> {
    text: &'c str,
    span: Range<usize>,
}

struct Parser<'p, 'c, 't> {
    tokens: &'p [Token<'c>],
    at: usize,
    depth: usize,
    end: usize,
    searches: &'p [SearchIdentifier],
    places: Places<'t>,
    report: &'p mut Report<'t>,
}

/// Reads one condition. `words` are those that are left for the detection.
pub(super) fn parse(
    node: &Node,
    text: &str,
    searches: &[SearchIdentifier],
    words: &mut usize,
    report: &mut Report,
) -> Option<Condition> {
    let places = report.places(node);
    let tokens = tokens(text);
    let Some(left) = words.checked_sub(tokens.len()) else {
        let message = format!("the conditions have more than {WORDS_MAX} words");
        report.error(codes::LIMIT, &node.span, message, "use `1 of` with a pattern for searches of one kind");
        return None;
    };
    *words = left;
    if let Some(pipe) = tokens.iter().find(|token| token.text == "|") {
        aggregation(&places.of(pipe.span.start..text.trim_end().len()), report);
        return None;
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, end: text.trim_end().len(), searches, places, report };
    let condition = parser.or().ok()?;
    if parser.peek().is_some() {
        parser.unexpected("`and`, `or` or the end");
        return None;
    }
    Some(condition)
}

/// The obsolete way to count events.
pub(super) fn aggregation(span: &Span, report: &mut Report) {
    let message = "aggregations in conditions are not supported: counting events needs the dataflow engine";
    let help = "write a correlation rule of type `event_count` or `value_count` for this rule";
    report.error(codes::AGGREGATION, span, message, help);
}

/// The searches that no condition uses, in the order of the file.
pub fn unused(detection: &super::ast::Detection) -> Vec<&SearchIdentifier> {
    let mut used = vec![false; detection.searches.len()];
    let mut open: Vec<&Condition> = detection.conditions.iter().collect();
    let mut mark = |index: usize| {
        if let Some(used) = used.get_mut(index) {
            *used = true;
        }
    };
    while let Some(condition) = open.pop() {
        match condition {
            Condition::Or(parts) | Condition::And(parts) => open.extend(parts),
            Condition::Not(negated) => open.push(negated),
            Condition::Search { index, .. } => mark(*index),
            Condition::Of { searches, .. } => searches.iter().for_each(|index| mark(*index)),
        }
    }
    detection.searches.iter().zip(used).filter(|(_, used)| !used).map(|(search, _)| search).collect()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut word: Option<usize> = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_mark = matches!(c, '(' | ')' | '|');
        if !is_mark && !c.is_whitespace() {
            word.get_or_insert(at);
            continue;
        }
        if let Some(start) = word.take() {
            tokens.extend(text.get(start..at).map(|text| Token { text, span: start..at }));
        }
        if is_mark {
            let span = at..at.saturating_add(1);
            tokens.extend(text.get(span.clone()).map(|text| Token { text, span }));
        }
    }
    tokens
}

impl<'p, 'c> Parser<'p, 'c, '_> {
    fn peek(&self) -> Option<&'p Token<'c>> {
        self.tokens.get(self.at)
    }

    fn is_next(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.text.eq_ignore_ascii_case(keyword))
    }

    fn take(&mut self, keyword: &str) -> bool {
        let is_next = self.is_next(keyword);
        self.at = self.at.saturating_add(usize::from(is_next));
        is_next
    }

    fn unexpected(&mut self, wanted: &str) -> Reported {
        let (span, found) = match self.peek() {
            Some(token) => (token.span.clone(), format!("`{}`", token.text)),
            None => (self.end..self.end, "the end of the condition".to_owned()),
        };
        let message = format!("expected {wanted}, found {found}");
        self.report.error(codes::SYNTAX, &self.places.of(span), message, SHAPE_HELP);
        Reported
    }

    fn or(&mut self) -> Result<Condition, Reported> {
        let first = self.and()?;
        let mut parts = vec![first];
        while self.take("or") {
            parts.push(self.and()?);
        }
        Ok(joined(parts, Condition::Or))
    }

    fn and(&mut self) -> Result<Condition, Reported> {
        let first = self.not()?;
        let mut parts = vec![first];
        while self.take("and") {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Condition::And))
    }

    fn not(&mut self) -> Result<Condition, Reported> {
        if !self.take("not") {
            return self.primary();
        }
        self.deeper()?;
        let negated = self.not()?;
        self.depth = self.depth.saturating_sub(1);
        Ok(Condition::Not(Box::new(negated)))
    }

    /// Every recursion comes by here.
    fn deeper(&mut self) -> Result<(), Reported> {
        self.depth = self.depth.saturating_add(1);
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let at = self.tokens.get(self.at.saturating_sub(1)).map_or(0..0, |token| token.span.clone());
        let message = format!("`not` and parentheses nest deeper than {DEPTH_MAX} levels");
        self.report.error(codes::LIMIT, &self.places.of(at), message, "write the condition with fewer parentheses");
        Err(Reported)
    }

    fn primary(&mut self) -> Result<Condition, Reported> {
        let wanted = "the name of a search, `1 of`, `all of`, `not` or `(`";
        let Some(token) = self.peek() else { return Err(self.unexpected(wanted)) };
        if self.take("(") {
            self.deeper()?;
            let inner = self.or()?;
            self.depth = self.depth.saturating_sub(1);
            return if self.take(")") { Ok(inner) } else { Err(self.unexpected("`)`")) };
        }
        let is_quantified =
            self.tokens.get(self.at.saturating_add(1)).is_some_and(|next| next.text.eq_ignore_ascii_case("of"));
        if is_quantified {
            return self.of(token);
        }
        if token.text == ")" || ["and", "or", "of"].iter().any(|word| token.text.eq_ignore_ascii_case(word)) {
            return Err(self.unexpected(wanted));
        }
        self.at = self.at.saturating_add(1);
        let span = self.places.of(token.span.clone());
        match self.searches.iter().position(|search| search.name == token.text) {
            Some(index) => Ok(Condition::Search { index, span }),
            None => Err(self.undefined(token.text, &span)),
        }
    }

    /// `1 of`, `any of` or `all of`, from the quantity on.
    fn of(&mut self, quantity: &Token<'c>) -> Result<Condition, Reported> {
        let all = quantity.text.eq_ignore_ascii_case("all");
        if !all && quantity.text != "1" && !quantity.text.eq_ignore_ascii_case("any") {
            let message = format!("`{} of` is not supported", quantity.text);
            let help = "how many must hold can be `1 of`, `any of` or `all of`";
            self.report.error(codes::QUANTITY, &self.places.of(quantity.span.clone()), message, help);
            return Err(Reported);
        }
        self.at = self.at.saturating_add(2);
        let Some(pattern) = self.peek().filter(|token| !matches!(token.text, "(" | ")")) else {
            return Err(self.unexpected("`them`, or a pattern such as `selection_*`"));
        };
        self.at = self.at.saturating_add(1);
        let names = self.searches.iter().map(|search| search.name.as_str()).enumerate();
        let them = pattern.text.eq_ignore_ascii_case("them");
        // Filters are joined to rules under names with an underscore: a rule's own patterns must not take them.
        let with_hidden = !them && pattern.text.starts_with('_');
        let searches: Vec<usize> = names
            .filter(|(_, name)| (with_hidden || !name.starts_with('_')) && (them || matches(pattern.text, name)))
            .map(|(index, _)| index)
            .collect();
        if searches.is_empty() {
            let span = self.places.of(pattern.span.clone());
            let message = format!("`{}` takes none of the searches", pattern.text);
            let help = format!("{}; `*` stands for any characters", self.known(pattern.text.trim_matches(['*', '_'])));
            self.report.error(codes::NO_SEARCHES, &span, message, help);
            return Err(Reported);
        }
        Ok(Condition::Of { all, searches, span: self.places.of(quantity.span.start..pattern.span.end) })
    }

    fn undefined(&mut self, name: &str, span: &Span) -> Reported {
        let message = format!("there is no search `{name}` under `detection`");
        let help =
            if name.contains('*') { format!("write `1 of {name}` or `all of {name}`") } else { self.known(name) };
        self.report.error(codes::UNDEFINED, span, message, help);
        Reported
    }

    fn known(&self, name: &str) -> String {
        let names = self.searches.iter().map(|search| search.name.as_str());
        if self.report.is_full() {
            return String::new();
        }
        if let Some(found) = suggest::closest(name, names.clone()) {
            return format!("did you mean `{found}`?");
        }
        let shown: Vec<_> = names.take(SHOWN_MAX).collect();
        if shown.is_empty() { "there are no searches".to_owned() } else { format!("there are {}", shown.join(", ")) }
    }
}

/// Several parts as one condition, and a single one as itself.
fn joined(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// Whether a pattern with `*` for any characters takes the whole name.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}
