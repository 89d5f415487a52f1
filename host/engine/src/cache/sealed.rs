//! A seal before a file's contents: what begins with it is whole, and was written for this place.
//!
//! It tells damage, not malice: whoever can write in a [`super::PrivateDir`] could also read a key there, and is its owner.

use crate::Digest;

/// The start of every sealed file; its last byte counts the versions of the layout.
const MAGIC: [u8; 8] = *b"SANDTRP\x01";

/// How many bytes a seal has: the magic, the length of the contents, and a digest of what the file is and holds.
pub const SEAL_BYTES: usize = MAGIC.len() + size_of::<u64>() + Digest::BYTES;

/// The seal of `contents` as what `context` says: a file that is moved to another place does not keep its seal.
pub fn seal(context: &[u8], contents: &[u8]) -> [u8; SEAL_BYTES] {
    let mut seal = [0; SEAL_BYTES];
    let length = (contents.len() as u64).to_le_bytes();
    let digest = Digest::of_parts(&[context, contents]);
    let parts = MAGIC.iter().chain(&length).chain(digest.as_bytes());
    for (byte, part) in seal.iter_mut().zip(parts) {
        *byte = *part;
    }
    seal
}

/// The contents of a sealed file; `None` where the file is not whole, or something else.
pub fn unseal<'b>(context: &[u8], file: &'b [u8]) -> Option<&'b [u8]> {
    let (found, contents) = file.split_at_checked(SEAL_BYTES)?;
    let length = found.get(MAGIC.len()..)?.first_chunk()?;
    // The length alone tells most truncated files, before anything is hashed.
    let is_whole = found.starts_with(&MAGIC) && u64::from_le_bytes(*length) == contents.len() as u64;
    (is_whole && found == seal(context, contents)).then_some(contents)
}
