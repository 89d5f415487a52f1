//! What is costly to make, kept between runs in a folder that only its owner can write.
//!
//! ```text
//! PrivateDir -> sealed files -> MachineCode, by (component, engine)
//!                            -> compiled rules (sandtrap-embed)
//! ```
//!
//! A cache never decides anything: what is missing, damaged, truncated or foreign is made again, and what cannot be written
//! is not kept. Processes may share one at any time: files are written aside, renamed into place, and never changed.

mod machine_code;
mod private_dir;
mod sealed;

pub(crate) use machine_code::MachineCode;
pub use private_dir::{CacheError, FoundFile, PrivateDir, TemporaryFile};
pub use sealed::{SEAL_BYTES, seal, unseal};
