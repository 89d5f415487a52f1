//! The constant data of a component: what a kernel refers to by address. Equal constants are stored once.

use std::collections::HashMap;

use super::EmitError;

/// The most constant data that a component may carry.
pub(super) const DATA_BYTES_MAX: usize = 16 << 20;

/// Constants, laid out from a base address on.
pub(super) struct Data {
    base: u32,
    bytes: Vec<u8>,
    known: HashMap<(Vec<u8>, usize), u32>,
    too_large: bool,
}

impl Data {
    /// Nothing yet, at an address that is a multiple of 16.
    pub(super) fn new(base: u32) -> Self {
        Self { base, bytes: Vec::new(), known: HashMap::new(), too_large: false }
    }

    /// The address of `bytes`, at a multiple of `align` (at most 16).
    pub(super) fn add(&mut self, bytes: &[u8], align: usize) -> u32 {
        if self.bytes.len() + bytes.len() + align > DATA_BYTES_MAX {
            self.too_large = true;
            return self.base;
        }
        if let Some(address) = self.known.get(&(bytes.to_vec(), align)) {
            return *address;
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
        let address = self.end();
        self.bytes.extend_from_slice(bytes);
        self.known.insert((bytes.to_vec(), align), address);
        address
    }

    /// The address of the words, at a multiple of 4.
    pub(super) fn add_words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.add(&bytes, 4)
    }

    /// The address of the integers, at a multiple of 8.
    pub(super) fn add_integers(&mut self, integers: &[i64]) -> u32 {
        let bytes: Vec<u8> = integers.iter().flat_map(|integer| integer.to_le_bytes()).collect();
        self.add(&bytes, 8)
    }

    /// The first address after the data.
    pub(super) fn end(&self) -> u32 {
        self.base + u32::try_from(self.bytes.len()).unwrap_or(u32::MAX - self.base)
    }

    /// The base address and the bytes, unless they became too many.
    pub(super) fn finish(self) -> Result<(u32, Vec<u8>), EmitError> {
        if self.too_large {
            return Err(EmitError::new(format!("the detection's constants exceed {DATA_BYTES_MAX} bytes")));
        }
        Ok((self.base, self.bytes))
    }
}
