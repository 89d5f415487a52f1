//! From positions in a query to positions in the file that holds it.
//!
//! YAML strips indentation, folds lines and resolves escapes. The map is a list of places from which on query and file go
//! together byte by byte; both sides ascend, and every position of the query has one in the file.

use saphyr_parser::ScalarStyle;

use crate::diagnostic::Span;

/// From `query` on, byte `query + n` of the query is byte `file + n` of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    query: usize,
    file: usize,
}

/// Ascending segments, the first of which starts at 0 of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceMap {
    segments: Vec<Segment>,
    /// No position is behind this one of the file.
    limit: usize,
}

impl SourceMap {
    /// The query is the end of the file, from `by` on.
    pub(super) fn shifted(by: usize) -> Self {
        Self { segments: vec![Segment { query: 0, file: by }], limit: usize::MAX }
    }

    /// The map of a scalar with this value that stands at `span` of the file: as the YAML parser has it, from the first
    /// character of a block's content or the opening quote.
    pub(crate) fn of_scalar(file: &str, span: &Span, value: &str, style: ScalarStyle) -> Self {
        let mut map = Self::shifted(span.start);
        if style == ScalarStyle::Literal {
            map.add_literal(file, span.start, value);
        } else {
            map.add_folded(file, span, value, style);
        }
        map
    }

    /// A literal block (<https://yaml.org/spec/1.2.2/#812-literal-style>): a line of the value is the end of one of the file.
    fn add_literal(&mut self, file: &str, start: usize, value: &str) {
        // Empty lines before the content are part of the value, and before `start`.
        let mut query = value.len() - value.trim_start_matches('\n').len();
        for (line, end) in line_ends_before(file, start, query).into_iter().enumerate() {
            self.push(line, end);
        }
        let mut lines = value.get(query..).unwrap_or_default().split('\n');
        let Some(first) = lines.next() else { return };
        self.push(query, start);
        query += first.len() + 1;
        let mut at = next_line(file, start);
        for line in lines {
            let end = line_end(file, at);
            self.push(query, end.saturating_sub(line.len()).max(at));
            query += line.len() + 1;
            at = next_line(file, at);
        }
    }

    /// Any other style: the characters of the value stand in the file in the same order, with other white space between
    /// words, and some as escapes.
    fn add_folded(&mut self, file: &str, span: &Span, value: &str, style: ScalarStyle) {
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let mut at = span.start + usize::from(quoted);
        for (query, wanted) in value.char_indices() {
            let Some((found, length)) = find(file.get(at..span.end).unwrap_or_default(), wanted, style) else {
                // The value is not what stands here: better one place for all that follows than a wrong one.
                self.limit = at;
                return;
            };
            self.push(query, at + found);
            at += found + length;
        }
    }

    fn push(&mut self, query: usize, file: usize) {
        match self.segments.last_mut() {
            // It goes on as before.
            Some(last) if query.checked_sub(last.query) == file.checked_sub(last.file) => {}
            Some(last) if last.query == query => last.file = file,
            Some(last) if last.file <= file => self.segments.push(Segment { query, file }),
            _ => {}
        }
    }

    fn offset(&self, query: usize) -> usize {
        let behind = self.segments.partition_point(|segment| segment.query <= query);
        let Some(segment) = behind.checked_sub(1).and_then(|index| self.segments.get(index)) else { return 0 };
        let offset = segment.file + (query - segment.query);
        self.segments.get(behind).map_or(offset, |next| offset.min(next.file)).min(self.limit)
    }

    /// A span of the query as one of the file.
    pub(crate) fn span(&self, query: &Span) -> Span {
        let start = self.offset(query.start);
        // The end of the last byte, not the start of the one behind it, which may be on another line.
        let end = if query.is_empty() { start } else { self.offset(query.end - 1).saturating_add(1) };
        start..end.min(self.limit).max(start)
    }
}

/// Where in `rest` the next character of a value stands, and how long it is there.
fn find(rest: &str, wanted: char, style: ScalarStyle) -> Option<(usize, usize)> {
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && style == ScalarStyle::DoubleQuoted {
            let next = characters.next()?.1;
            // An escaped line break stands for nothing.
            if !matches!(next, '\n' | '\r') {
                return Some((at, escape_length(next)));
            }
        } else if c == wanted {
            let doubled = c == '\'' && style == ScalarStyle::SingleQuoted;
            return Some((at, c.len_utf8() + usize::from(doubled)));
        } else if !c.is_whitespace() {
            return None;
        } else if matches!(wanted, ' ' | '\n') {
            // A folded line break.
            return Some((at, c.len_utf8()));
        }
    }
    None
}

/// <https://yaml.org/spec/1.2.2/#57-escaped-characters>
fn escape_length(next: char) -> usize {
    match next {
        'x' => 4,
        'u' => 6,
        'U' => 10,
        next => 1 + next.len_utf8(),
    }
}

/// Where the `count` lines before that of `at` end, from the top.
fn line_ends_before(text: &str, at: usize, count: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut before = text.get(..at).unwrap_or_default();
    while let (Some(end), true) = (before.rfind(['\n', '\r']), ends.len() < count) {
        before = before.get(..end).unwrap_or_default();
        before = before
            .strip_suffix('\r')
            .filter(|_| text.get(end..).is_some_and(|rest| rest.starts_with('\n')))
            .unwrap_or(before);
        ends.push(before.len());
    }
    ends.reverse();
    ends
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    let rest = text.get(end..).unwrap_or_default();
    end + if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) }
}

#[cfg(test)]
mod tests {
    use crate::{diagnostic::Span, rule::load};

    /// The rule whose `query:` is written as `scalar`, and its file.
    fn rule(scalar: &str) -> (crate::rule::RuleFile, String) {
        let file = format!("id: ü\nname: n\nquery: {scalar}\nversion: 1\n");
        let loaded = load("a.yaml", &file);
        let Some(rule) = loaded.rule else { panic!("{file}\n{:?}", loaded.diagnostics) };
        (rule, file)
    }

    #[test]
    fn words_stand_where_they_are_written() {
        for scalar in [
            "|\n  Table\n    | where é == 'x'\n\n  | count",
            "|\n  \n\r\n      Table | where é == 'x'\n      | count",
            "|2-\n    Table\n  | where é == 'x' | count\n\n",
            "|\r\n  Table\r\n  | where é == 'x'\r\n\r\n  | count\r",
            ">\n  Table\n  | where é == 'x'\n\n  | count\n   # not YAML's",
            "Table | where é == 'x' | count",
            "Table\n  | where é == 'x'\n\n\n  | count # YAML's",
            "'Table | where é == ''x''\n  | count'",
            r#""Table\t|\x20where é == \u0027x'\n\n| count""#,
            "\"Table | wh\\\n   ere é == 'x'\\\n   | count\"",
        ] {
            let (rule, file) = rule(scalar);
            for word in ["Table", "where", "é", "x", "count"] {
                let at = rule.query.find(word).unwrap_or_else(|| panic!("no {word} in {:?}", rule.query));
                let shown = &file[rule.locate(&(at..at + word.len()))];
                assert!(shown == word || shown == "wh\\\n   ere", "{scalar}\n{word} is at {shown:?}");
            }
        }
    }

    #[test]
    fn every_span_of_a_query_is_one_of_the_file() {
        for scalar in [
            "|\n  \n    é\n",
            "|\n\n    T\n\n\n      é\n    \n",
            "''",
            "\"\"",
            "|",
            "\"\\u00e9\\n\\U0001F600 \\\n  é\"",
            "'é''\n\n é'",
        ] {
            let (rule, file) = rule(scalar);
            let mut before = 0;
            for start in 0..=rule.query.len() {
                for end in start..=rule.query.len() {
                    let span: Span = rule.locate(&(start..end));
                    assert!(before <= span.start && span.start <= span.end, "{scalar:?} {start}..{end} is {span:?}");
                    assert!(span.end <= file.len(), "{scalar:?} {start}..{end} is {span:?}");
                    if rule.query.is_char_boundary(start) && rule.query.is_char_boundary(end) {
                        assert!(file.get(span.clone()).is_some(), "{scalar:?} {start}..{end} is {span:?}");
                    }
                    before = span.start;
                }
            }
        }
    }
}
