//! Machine code of single functions, kept while an engine lives.
//!
//! The compiler links the same runtime into every component, so that of some fifty functions of a rule all but a few were
//! compiled before. Cranelift asks by a digest of all that a function's code depends on; what comes out is the same, byte for
//! byte, and takes a third of the time (docs/performance.md, "Cold start").

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use wasmtime::CacheStore;

/// The most bytes of keys and code. The runtime takes some tens of KB, and comes first; what no longer fits is compiled each
/// time.
const BYTES_MAX: usize = 4 << 20;

/// The functions of an engine.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    code: HashMap<Vec<u8>, Vec<u8>>,
    bytes: usize,
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.code.get(key).cloned().map(Cow::Owned)
    }

    fn insert(&self, key: &[u8], code: Vec<u8>) -> bool {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = held.bytes.saturating_add(key.len()).saturating_add(code.len());
        // Two threads may have compiled it at the same time; it is counted twice then, which does not matter.
        let fits = bytes <= BYTES_MAX;
        if fits {
            held.bytes = bytes;
            held.code.insert(key.to_vec(), code);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_and_bounded() {
        let functions = Functions::default();
        assert_eq!(functions.get(b"a"), None);
        assert!(functions.insert(b"a", vec![1, 2]));
        assert_eq!(functions.get(b"a").as_deref(), Some(&[1, 2][..]));
        let kept = (0..8_u8).filter(|key| functions.insert(&[*key], vec![0; BYTES_MAX / 4])).count();
        assert_eq!(kept, 3);
        assert_eq!((functions.get(&[2]).is_some(), functions.get(&[3]).is_some()), (true, false));
        assert!(functions.get(b"a").is_some());
    }
}
