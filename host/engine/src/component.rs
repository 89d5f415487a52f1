//! Where the bytes of a component are until its machine code is made.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{Engine, check, digest::Digest, failure::Failure};

/// A place where a component can be read again. What it gives is compared with the digest that the component had, so a file
/// that changed meanwhile costs the detection, and is not run.
pub trait ComponentSource: Send + Sync + fmt::Debug {
    /// The component's bytes.
    fn read(&self) -> io::Result<Vec<u8>>;
}

/// The bytes, or where they can be had.
pub(crate) enum Component {
    /// In memory, and already checked; taken when the machine code is made, since nobody asks twice.
    Held(Mutex<Vec<u8>>),
    /// Somewhere else.
    Stored(Arc<dyn ComponentSource>),
}

impl Component {
    pub(crate) fn held(bytes: Vec<u8>) -> Self {
        Self::Held(Mutex::new(bytes))
    }

    /// The bytes, checked and of that digest.
    pub(crate) fn take(&self, engine: &Engine, digest: &Digest) -> Result<Vec<u8>, Failure> {
        let source = match self {
            Self::Held(bytes) => return Ok(std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner))),
            Self::Stored(source) => source,
        };
        let bytes = source.read().map_err(|error| {
            Failure::Unusable(format!("the component is no longer to be had from {source:?}: {error}"))
        })?;
        if Digest::of(&bytes) != *digest {
            return Err(Failure::Unusable(format!("{source:?} has changed since the component was loaded from it")));
        }
        check::check(&bytes, engine.limits()).map_err(|error| Failure::Unusable(error.to_string()))?;
        Ok(bytes)
    }

    /// Lets go of bytes that are not needed any more.
    pub(crate) fn release(&self) {
        if let Self::Held(bytes) = self {
            drop(std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner)));
        }
    }
}
