//! Texts with wildcards: `*` is any text, `?` one character.
//!
//! A table is a byte of flags and then the patterns, each ended by [`END`]. A pattern is its literal text with [`ANY_TEXT`]
//! and [`ANY_CHARACTER`] in it: bytes that UTF-8 never uses, so that nothing needs escaping.

/// Flag: ASCII letters of the text are folded; patterns are folded already, and so is text that is not ASCII.
pub const FLAG_FOLD: u8 = 1;
/// Stands for any text, the empty one too.
pub const ANY_TEXT: u8 = 0xfe;
/// Stands for one character.
pub const ANY_CHARACTER: u8 = 0xff;
/// Ends a pattern.
pub const END: u8 = 0xfd;

/// Whether `text` is, from end to end, what one of the patterns describes.
pub fn matches(table: &[u8], text: &[u8]) -> bool {
    let Some((flags, patterns)) = table.split_first() else { return false };
    let fold = if flags & FLAG_FOLD == 0 { 0 } else { 0x20 };
    patterns.split(|byte| *byte == END).rev().skip(1).any(|pattern| one_matches(pattern, text, fold))
}

/// Goes back to the last `*` only: what came before it matched as early as it can, so there is no better way to match it.
/// At worst that is the product of both lengths.
fn one_matches(pattern: &[u8], text: &[u8], fold: u8) -> bool {
    let (mut rest, mut left) = (pattern, text);
    // What follows the last `*`, and the text from where it was tried last.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match (rest.split_first(), left.split_first()) {
            (Some((&ANY_TEXT, [])), _) | (None, None) => return true,
            (Some((&ANY_TEXT, after)), _) => {
                retry = Some((after, left));
                Some((after, left))
            }
            (Some((&ANY_CHARACTER, after)), Some((&first, _))) => left.get(width(first)..).map(|left| (after, left)),
            (Some((&wanted, after)), Some((&first, next))) => (wanted == folded(first, fold)).then_some((after, next)),
            (Some(_), None) => return false,
            (None, Some(_)) => None,
        };
        (rest, left) = match (matched, retry) {
            (Some(both), _) => both,
            (None, None) => return false,
            (None, Some((after, tried))) => {
                let Some(next) = next_candidate(after, tried, fold) else { return false };
                retry = Some((after, next));
                (after, next)
            }
        };
    }
}

/// The text from the next place on where what follows a `*` may start.
fn next_candidate<'a>(after: &[u8], tried: &'a [u8], fold: u8) -> Option<&'a [u8]> {
    let next = tried.get(width(*tried.first()?)..)?;
    match after.first() {
        Some(&(ANY_CHARACTER | ANY_TEXT)) | None => Some(next),
        Some(wanted) => next.get(next.iter().position(|byte| folded(*byte, fold) == *wanted)?..),
    }
}

#[inline]
fn folded(byte: u8, fold: u8) -> u8 {
    if byte.is_ascii_uppercase() { byte | fold } else { byte }
}

/// How many bytes a character has, by its first.
#[inline]
fn width(first: u8) -> usize {
    match first {
        0..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}
