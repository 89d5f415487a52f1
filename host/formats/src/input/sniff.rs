//! What an input is, by its first bytes. Names do not matter: standard input has none, and people rename files.

/// What the first bytes of an input say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// A Windows event log.
    Evtx,
    /// Text in UTF-16, little-endian, behind so many bytes of a byte order mark.
    Utf16Le(usize),
    /// Text in UTF-16, big-endian, behind so many bytes of a byte order mark.
    Utf16Be(usize),
    /// Text in UTF-8, or whatever else: the reader of lines says what is wrong with it.
    Text,
    /// Something that is not read; says what, and what to do.
    Foreign(&'static str),
}

/// What begins so is known. No line of JSON does.
const MAGICS: &[(&[u8], Content)] = &[
    (b"\x1f\x8b\x08", Content::Gzip),
    (b"\x28\xb5\x2f\xfd", Content::Zstd),
    (b"ElfFile\0", Content::Evtx),
    (
        b"\x30\0\0\0LfLe",
        Content::Foreign("it is an EVT log of Windows XP or 2003; save it as EVTX with the Event Viewer"),
    ),
    (b"PK\x03\x04", Content::Foreign("it is a zip archive; unpack it and give the folder")),
    (b"\xfd7zXZ\0", Content::Foreign("it is packed with xz; unpack it, or pipe it in: xz -dc FILE | sandtrap ...")),
    (b"7z\xbc\xaf\x27\x1c", Content::Foreign("it is a 7-Zip archive; unpack it and give the folder")),
    (
        b"\x04\x22\x4d\x18",
        Content::Foreign("it is packed with lz4; unpack it, or pipe it in: lz4 -dc FILE | sandtrap ..."),
    ),
    (b"PAR1", Content::Foreign("it is a Parquet file; export its rows as NDJSON")),
    (b"\xff\xfe\0\0", Content::Foreign("its text is UTF-32; convert it to UTF-8")),
    (b"\0\0\xfe\xff", Content::Foreign("its text is UTF-32; convert it to UTF-8")),
];

/// Behind `BZh` and a digit.
const BZIP2_BLOCK: &[u8] = b"1AY&SY";

/// The last three bytes of the magic of a skippable Zstandard frame; the first is 0x50 to 0x5f.
const SKIPPABLE: &[u8] = b"\x2a\x4d\x18";

/// How many bytes tell UTF-16 by its zero bytes: two characters.
const UTF16_BYTES: usize = 4;

/// What the input is that begins with `head`; `None` while more of it is needed. When the input has `ended` with these
/// bytes there is always an answer.
pub(crate) fn content(head: &[u8], ended: bool) -> Option<Content> {
    if let Some((_, content)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*content);
    }
    if let [b'P'..=b'_', rest @ ..] = head
        && rest.starts_with(SKIPPABLE)
    {
        return Some(Content::Zstd);
    }
    if let [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] = head
        && block.starts_with(BZIP2_BLOCK)
    {
        return Some(Content::Foreign(
            "it is packed with bzip2; unpack it, or pipe it in: bzip2 -dc FILE | sandtrap ...",
        ));
    }
    if !ended && (head.is_empty() || may_become_magic(head) || may_become_utf16(head)) {
        return None;
    }
    Some(match head {
        [0xff, 0xfe, ..] => Content::Utf16Le(2),
        [0xfe, 0xff, ..] => Content::Utf16Be(2),
        // JSON begins with ASCII characters, so that in UTF-16 every other byte is zero.
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Content::Utf16Le(0),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Content::Utf16Be(0),
        _ => Content::Text,
    })
}

fn may_become_magic(head: &[u8]) -> bool {
    let skippable = |head: &[u8]| match head {
        [b'P'..=b'_', rest @ ..] => SKIPPABLE.starts_with(rest),
        _ => false,
    };
    let bzip2 = |head: &[u8]| match head {
        [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] => BZIP2_BLOCK.starts_with(block),
        _ => b"BZh".starts_with(head),
    };
    MAGICS.iter().any(|(magic, _)| magic.starts_with(head)) || skippable(head) || bzip2(head)
}

fn may_become_utf16(head: &[u8]) -> bool {
    let marked = matches!(head, [_] | [0xff, 0xfe, ..] | [_, 0, ..] | [0, _, ..]);
    marked && head.len() < UTF16_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_it_is() {
        for (head, expected) in [
            (&b"\x1f\x8b\x08\0"[..], Content::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", Content::Zstd),
            (b"\x53\x2a\x4d\x18\x01\0\0\0", Content::Zstd),
            (b"ElfFile\0\0", Content::Evtx),
            (b"\xff\xfe{\0}\0", Content::Utf16Le(2)),
            (b"\xfe\xff\0{\0}", Content::Utf16Be(2)),
            (b"{\0\"\0", Content::Utf16Le(0)),
            (b"\0{\0\"", Content::Utf16Be(0)),
            (b"\xef\xbb\xbf{}", Content::Text),
            (b"{}", Content::Text),
            (b"", Content::Text),
            (b"\x1f\x8b", Content::Text),
            (b"ElfFile", Content::Text),
            (b"PAR", Content::Text),
            (b"Plain", Content::Text),
            (b"\0\0\0\0", Content::Text),
            (b"\xff\xfe", Content::Utf16Le(2)),
        ] {
            assert_eq!(content(head, true), Some(expected), "{head:?}");
        }
        for foreign in [&b"PK\x03\x04"[..], b"BZh91AY&SY", b"\xfd7zXZ\0", b"\xff\xfe\0\0", b"\x30\0\0\0LfLe"] {
            assert!(matches!(content(foreign, true), Some(Content::Foreign(_))), "{foreign:?}");
        }
    }

    #[test]
    fn it_waits_only_while_more_bytes_could_change_the_answer() {
        for (head, waits) in [
            (&b""[..], true),
            (b"\x1f", true),
            (b"\x1f\x8b", true),
            (b"E", true),
            (b"ElfFile", true),
            (b"Z", true),
            (b"{", true),
            (b"{\"", false),
            (b"{\0", true),
            (b"{\0\"", true),
            (b"\0", true),
            (b"\xff", true),
            (b"\xff\xfe", true),
            (b"\xef\xbb", false),
            (b"[{", false),
            (b"ab", false),
        ] {
            assert_eq!(content(head, false).is_none(), waits, "{head:?}");
        }
    }
}
