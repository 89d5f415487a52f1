//! The syntax tree of a pattern to the form that automata and literals are made from. Classes of PCRE are ASCII and are not
//! folded; what is folded without regard to case are characters and ranges.

use regex_syntax::{
    ast::{self, Ast},
    hir::{Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, HirKind, Look, Repetition},
};

use super::{Flags, RegexError, parse::span, rewrite::Rewritten};

pub(super) fn translate(ast: &Ast, rewritten: &Rewritten, flags: Flags) -> Result<Hir, RegexError> {
    Translator { rewritten, flags }.expression(ast)
}

struct Translator<'a> {
    rewritten: &'a Rewritten,
    flags: Flags,
}

impl Translator<'_> {
    /// Recursion is as deep as the parser allows.
    fn expression(&mut self, ast: &Ast) -> Result<Hir, RegexError> {
        Ok(match ast {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(set) => {
                self.set_flags(&set.flags)?;
                Hir::empty()
            }
            Ast::Literal(literal) if self.flags.insensitive => class_of(self.range(literal.c, literal.c)),
            Ast::Literal(literal) => Hir::literal(literal.c.to_string().into_bytes()),
            Ast::Dot(_) if self.flags.single_line => Hir::dot(Dot::AnyChar),
            Ast::Dot(_) => Hir::dot(Dot::AnyCharExceptLF),
            Ast::Assertion(assertion) => Hir::look(self.look(assertion)?),
            Ast::ClassUnicode(class) => class_of(self.property(class)?),
            Ast::ClassPerl(class) => class_of(perl(class)),
            Ast::ClassBracketed(class) => class_of(self.bracketed(class)?),
            Ast::Repetition(repetition) => {
                let (min, max) = match &repetition.op.kind {
                    ast::RepetitionKind::ZeroOrOne => (0, Some(1)),
                    ast::RepetitionKind::ZeroOrMore => (0, None),
                    ast::RepetitionKind::OneOrMore => (1, None),
                    ast::RepetitionKind::Range(ast::RepetitionRange::Exactly(count)) => (*count, Some(*count)),
                    ast::RepetitionKind::Range(ast::RepetitionRange::AtLeast(min)) => (*min, None),
                    ast::RepetitionKind::Range(ast::RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
                };
                let sub = Box::new(self.expression(&repetition.ast)?);
                Hir::repetition(Repetition { min, max, greedy: repetition.greedy, sub })
            }
            Ast::Group(group) => {
                let outer = self.flags;
                if let ast::GroupKind::NonCapturing(flags) = &group.kind {
                    self.set_flags(flags)?;
                }
                let inner = self.expression(&group.ast);
                self.flags = outer;
                inner?
            }
            Ast::Alternation(alternation) => Hir::alternation(self.expressions(&alternation.asts)?),
            Ast::Concat(concat) => Hir::concat(self.expressions(&concat.asts)?),
        })
    }

    fn expressions(&mut self, asts: &[Ast]) -> Result<Vec<Hir>, RegexError> {
        asts.iter().map(|ast| self.expression(ast)).collect()
    }

    fn error(&self, at: &ast::Span, message: impl Into<String>, help: &str) -> RegexError {
        RegexError::new(span(at, self.rewritten), message).help(help)
    }

    fn set_flags(&mut self, flags: &ast::Flags) -> Result<(), RegexError> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                ast::FlagsItemKind::Negation => on = false,
                ast::FlagsItemKind::Flag(ast::Flag::CaseInsensitive) => self.flags.insensitive = on,
                ast::FlagsItemKind::Flag(ast::Flag::MultiLine) => self.flags.multi_line = on,
                ast::FlagsItemKind::Flag(ast::Flag::DotMatchesNewLine) => self.flags.single_line = on,
                // Whether it matches does not depend on greed, and the parser skips white space.
                ast::FlagsItemKind::Flag(ast::Flag::SwapGreed | ast::Flag::IgnoreWhitespace) => {}
                ast::FlagsItemKind::Flag(ast::Flag::Unicode | ast::Flag::CRLF) => {
                    return Err(self.error(&item.span, "this flag is not supported", "use `i`, `m`, `s` or `x`"));
                }
            }
        }
        Ok(())
    }

    fn look(&self, assertion: &ast::Assertion) -> Result<Look, RegexError> {
        Ok(match assertion.kind {
            ast::AssertionKind::StartLine if self.flags.multi_line => Look::StartLF,
            ast::AssertionKind::EndLine if self.flags.multi_line => Look::EndLF,
            ast::AssertionKind::StartLine | ast::AssertionKind::StartText => Look::Start,
            ast::AssertionKind::EndLine | ast::AssertionKind::EndText => Look::End,
            ast::AssertionKind::WordBoundary => Look::WordAscii,
            ast::AssertionKind::NotWordBoundary => Look::WordAsciiNegate,
            _ => return Err(self.error(&assertion.span, "this kind of boundary is not supported", "use `\\b`")),
        })
    }

    /// The characters from one to another, and those that fold alike.
    fn range(&self, first: char, last: char) -> ClassUnicode {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(first, last)]);
        if self.flags.insensitive {
            class.case_fold_simple();
        }
        class
    }

    /// `\p{...}`, which the parser's own translator knows by name.
    fn property(&self, class: &ast::ClassUnicode) -> Result<ClassUnicode, RegexError> {
        let text = self.rewritten.text.get(class.span.start.offset..class.span.end.offset).unwrap_or_default();
        let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(self.flags.insensitive).build();
        match parser.parse(text).map(Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => Ok(class),
            // A property of one character or of none.
            Ok(HirKind::Literal(literal)) => {
                let text = String::from_utf8_lossy(&literal.0);
                Ok(ClassUnicode::new(text.chars().map(|c| ClassUnicodeRange::new(c, c))))
            }
            _ => Err(self.error(
                &class.span,
                format!("the property `{text}` is not known"),
                "write its ranges in a class",
            )),
        }
    }

    fn bracketed(&self, bracketed: &ast::ClassBracketed) -> Result<ClassUnicode, RegexError> {
        let ast::ClassSet::Item(item) = &bracketed.kind else {
            return Err(self.error(&bracketed.span, "an operator in a class", "write its characters with backslashes"));
        };
        let mut class = self.item(item)?;
        if bracketed.negated {
            class.negate();
        }
        Ok(class)
    }

    fn item(&self, item: &ast::ClassSetItem) -> Result<ClassUnicode, RegexError> {
        Ok(match item {
            ast::ClassSetItem::Empty(_) => ClassUnicode::empty(),
            ast::ClassSetItem::Literal(literal) => self.range(literal.c, literal.c),
            ast::ClassSetItem::Range(range) => self.range(range.start.c, range.end.c),
            ast::ClassSetItem::Ascii(class) => self.posix(class),
            ast::ClassSetItem::Unicode(class) => self.property(class)?,
            ast::ClassSetItem::Perl(class) => perl(class),
            ast::ClassSetItem::Bracketed(bracketed) => self.bracketed(bracketed)?,
            ast::ClassSetItem::Union(union) => {
                let mut class = ClassUnicode::empty();
                for item in &union.items {
                    class.union(&self.item(item)?);
                }
                class
            }
        })
    }

    /// Without regard to case, `[:upper:]` and `[:lower:]` are all letters of ASCII.
    fn posix(&self, class: &ast::ClassAscii) -> ClassUnicode {
        use ast::ClassAsciiKind::{
            Alnum, Alpha, Ascii, Blank, Cntrl, Digit, Graph, Lower, Print, Punct, Space, Upper, Word, Xdigit,
        };
        let ranges: &[(char, char)] = match class.kind {
            Alnum => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            Alpha => &[('A', 'Z'), ('a', 'z')],
            Lower | Upper if self.flags.insensitive => &[('A', 'Z'), ('a', 'z')],
            Ascii => &[('\0', '\x7f')],
            Blank => &[('\t', '\t'), (' ', ' ')],
            Cntrl => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            Digit => DIGIT,
            Graph => &[('!', '~')],
            Lower => &[('a', 'z')],
            Print => &[(' ', '~')],
            Punct => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            Space => SPACE,
            Upper => &[('A', 'Z')],
            Word => WORD,
            Xdigit => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        };
        ascii(ranges, class.negated)
    }
}

fn class_of(class: ClassUnicode) -> Hir {
    Hir::class(Class::Unicode(class))
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn perl(class: &ast::ClassPerl) -> ClassUnicode {
    let ranges = match class.kind {
        ast::ClassPerlKind::Digit => DIGIT,
        ast::ClassPerlKind::Space => SPACE,
        ast::ClassPerlKind::Word => WORD,
    };
    ascii(ranges, class.negated)
}

fn ascii(ranges: &[(char, char)], negated: bool) -> ClassUnicode {
    let mut class = ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)));
    if negated {
        class.negate();
    }
    class
}
