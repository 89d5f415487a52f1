//! Writes a pattern as `regex-syntax` reads it: in a class, `[`, `&` and `~` are plain there only after a backslash, and in
//! PCRE anyway. What PCRE has and we do not is refused here where it would be read as something else.

use super::RegexError;

/// A pattern for the parser.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// For each byte of `text` and its end, the byte of the pattern.
    origins: Vec<usize>,
}

impl Rewritten {
    /// The byte of the pattern that a byte of the text comes from.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.origins.get(at).or(self.origins.last()).copied().unwrap_or(0)
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origins.resize(self.text.len(), at);
    }
}

/// Escapes that PCRE knows and we do not, and what to write instead.
const ESCAPES: [(char, &str, &str); 14] = [
    ('K', "a reset of the match's start", "leave it out: whether it matches is all that counts"),
    ('G', "an anchor at the last match", "use `^`"),
    ('Z', "an anchor before a last line feed", "use `\\n?$`"),
    ('h', "a class of blanks", "use `[ \\t]`"),
    ('H', "a class of non-blanks", "use `[^ \\t]`"),
    ('R', "a line break", "use `\\r?\\n`"),
    ('N', "a character that is no line feed", "use `.`"),
    ('X', "a grapheme", "use `.`"),
    ('V', "a class of what is not vertical space", "use `[^\\n\\r]`"),
    ('e', "the escape character", "use `\\x1b`"),
    ('c', "a control character", "use `\\x` and its number"),
    ('Q', "quoted text", "escape each of its characters"),
    ('E', "the end of quoted text", "escape each of its characters instead"),
    ('C', "a single byte", "use `.`"),
];

pub(super) fn rewrite(pattern: &str) -> Result<Rewritten, RegexError> {
    let mut written = Rewritten { text: String::new(), origins: Vec::new() };
    let mut rest = pattern.char_indices().peekable();
    let mut in_class = false;
    // Where a quantifier ended.
    let mut quantified = None;
    while let Some((at, c)) = rest.next() {
        let follows_quantifier = quantified.take() == Some(at);
        match c {
            '\\' => {
                written.push(c, at);
                let Some((_, escaped)) = rest.next() else { continue };
                if let Some((_, what, help)) = ESCAPES.iter().find(|(known, ..)| *known == escaped) {
                    let span = at..at + 1 + escaped.len_utf8();
                    return Err(RegexError::new(span, format!("`\\{escaped}`, {what}, is not supported")).help(*help));
                }
                if matches!(escaped, '<' | '>') {
                    // To the parser that would be the edge of a word.
                    written.text.pop();
                    written.origins.pop();
                }
                written.push(escaped, at);
            }
            '[' if in_class => {
                let tail = pattern.get(at..).unwrap_or_default();
                if let Some(len) = tail.strip_prefix("[:").and_then(posix_name) {
                    // `[:alpha:]`; its own bracket does not end the class.
                    written.push(c, at);
                    for (at, c) in rest.by_ref().take(len + 3) {
                        written.push(c, at);
                    }
                } else {
                    written.push('\\', at);
                    written.push(c, at);
                }
            }
            '&' | '~' if in_class => {
                written.push('\\', at);
                written.push(c, at);
            }
            '-' if in_class && rest.peek().is_some_and(|(_, next)| *next == '-') => {
                return Err(RegexError::new(at..at + 2, "`--` in a class").help("write a plain hyphen as `\\-`"));
            }
            '[' => {
                in_class = true;
                written.push(c, at);
                if let Some((at, c)) = rest.next_if(|(_, next)| *next == '^') {
                    written.push(c, at);
                }
                // First in a class, a closing bracket is plain.
                if let Some((at, c)) = rest.next_if(|(_, next)| *next == ']') {
                    written.push('\\', at);
                    written.push(c, at);
                }
            }
            ']' => {
                in_class = false;
                written.push(c, at);
            }
            '+' if follows_quantifier => {
                return Err(RegexError::new(at..at + 1, "a possessive quantifier is not supported")
                    .help("leave the second `+` out: what matches stays nearly always the same"));
            }
            '*' | '?' | '+' | '}' if !in_class => {
                // A lazy quantifier ends with its question mark, and nothing follows that.
                quantified = (c != '?' || !follows_quantifier).then_some(at + 1);
                written.push(c, at);
            }
            '(' if !in_class => {
                refuse_group(pattern, at)?;
                written.push(c, at);
            }
            c => written.push(c, at),
        }
    }
    written.origins.push(pattern.len());
    Ok(written)
}

/// How long the name in `[:name:]` is, after its `[:`.
fn posix_name(tail: &str) -> Option<usize> {
    let (name, _) = tail.split_once(":]")?;
    let letters = name.strip_prefix('^').unwrap_or(name);
    letters.bytes().all(|byte| byte.is_ascii_lowercase()).then_some(name.len())
}

/// Groups that the parser would refuse as a flag that it does not know.
const GROUPS: [(&str, &str); 9] = [
    ("(?>", "an atomic group"),
    ("(?|", "a group that resets numbers"),
    ("(?(", "a condition"),
    ("(?R", "recursion"),
    ("(?&", "recursion"),
    ("(?P>", "recursion"),
    ("(?P=", "a back reference"),
    ("(?#", "a comment"),
    ("(*", "a verb"),
];

fn refuse_group(pattern: &str, at: usize) -> Result<(), RegexError> {
    let tail = pattern.get(at..).unwrap_or_default();
    if let Some((start, what)) = GROUPS.iter().find(|(start, _)| tail.starts_with(start)) {
        let help = match *start {
            "(?#" => "leave it out",
            _ => "use `(?:` and `)`, or several values",
        };
        return Err(RegexError::new(at..at + start.len(), format!("{what}, `{start}`, is not supported")).help(help));
    }
    Ok(())
}
