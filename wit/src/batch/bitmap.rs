//! Bitmaps as Arrow packs them.

/// Bits packed least significant first; bits past the last are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bitmap {
    bytes: Vec<u8>,
    len: usize,
}

impl Bitmap {
    /// `len` bits of the same value.
    pub fn filled(value: bool, len: usize) -> Self {
        let mut bitmap = Self { bytes: vec![if value { 0xff } else { 0 }; len.div_ceil(8)], len };
        bitmap.clear_tail();
        bitmap
    }

    /// Takes packed bytes; `None` when there are not exactly enough of them. Bits past the last are cleared.
    pub fn from_bytes(bytes: Vec<u8>, len: usize) -> Option<Self> {
        (bytes.len() == len.div_ceil(8)).then(|| {
            let mut bitmap = Self { bytes, len };
            bitmap.clear_tail();
            bitmap
        })
    }

    fn clear_tail(&mut self) {
        if let (Some(last), used @ 1..) = (self.bytes.last_mut(), self.len % 8) {
            *last &= (1 << used) - 1;
        }
    }

    /// Adds a bit.
    pub fn push(&mut self, value: bool) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if value && let Some(last) = self.bytes.last_mut() {
            *last |= 1 << (self.len % 8);
        }
        self.len += 1;
    }

    /// Drops the bits from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.bytes.truncate(len.div_ceil(8));
            self.len = len;
            self.clear_tail();
        }
    }

    /// The bit at `index`; false past the end.
    pub fn get(&self, index: usize) -> bool {
        index < self.len && self.bytes.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    /// The packed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a bit is set.
    pub(super) fn any(&self) -> bool {
        self.bytes.iter().any(|byte| *byte != 0)
    }

    /// Whether every bit is set.
    pub(super) fn all(&self) -> bool {
        *self == Self::filled(true, self.len)
    }

    /// The bits that are set in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let bytes = self.bytes.iter().zip(&other.bytes).map(|(one, other)| one & other).collect();
        Self { bytes, len: self.len.min(other.len) }
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut bitmap = Self::default();
        bits.into_iter().for_each(|bit| bitmap.push(bit));
        bitmap
    }
}
