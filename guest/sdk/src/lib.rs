//! Write a detection by hand in Rust, for what KQL and Sigma cannot say.
//!
//! A detection is a type that implements [`Detection`]: it names the columns it reads, says in its manifest what it
//! is, and looks at one row at a time. [`export!`] turns it into the exports of `detection.wit`; built for
//! `wasm32-unknown-unknown` and wrapped by `cargo xtask examples` it is a component that imports nothing. Everything
//! but the export is plain Rust, so a detection is tested natively with [`testing::Sample`].
//!
//! ```
//! use sandtrap_sdk::{Column, Datetime, Detection, Field, Level, Manifest, ManifestBuilder, Row, testing::Sample};
//!
//! const REMOTE_URL: Column<String> = Column::new("RemoteUrl");
//!
//! /// A host name that is far too long.
//! struct LongName;
//!
//! impl Detection for LongName {
//!     const STREAM: &'static str = "DeviceNetworkEvents";
//!     const READS: &'static [Field] = &[REMOTE_URL.field()];
//!     type Found = (i64,);
//!     const COMPUTED: [&'static str; 1] = ["Length"];
//!
//!     fn manifest() -> Manifest {
//!         ManifestBuilder::new("example", "long-name", "A host name that is far too long")
//!             .level(Level::Low)
//!             .keep::<Datetime>("Timestamp")
//!             .keep::<String>("RemoteUrl")
//!             .finish::<Self>()
//!     }
//!
//!     fn find(row: &Row<'_>) -> Option<(i64,)> {
//!         let length = row.text(&REMOTE_URL).len();
//!         (length > 100).then_some((i64::try_from(length).ok()?,))
//!     }
//! }
//!
//! sandtrap_sdk::export!(LongName);
//!
//! assert_eq!(Sample::new().with(&REMOTE_URL, "example.org").find::<LongName>(), Ok(None));
//! assert_eq!(Sample::new().with(&REMOTE_URL, &"a".repeat(101)).find::<LongName>(), Ok(Some((101,))));
//! ```
//!
//! A detection must be a pure function of the row and of [`Row::now`]: the host repeats, splits and reorders batches.
//! Not here: grouping and sorting, which are plan nodes that a hand-written detection does not use yet, and columns
//! of lists, which Sigma rules read; a batch that has one all the same is refused.

mod column;
mod detection;
mod found;
mod manifest;
mod row;
pub mod testing;
mod wire;

pub use column::{Column, Datetime, Dynamic, Field, Guid, Scalar, Timespan};
pub use detection::{Detection, EvaluateError};
pub use found::{Found, Value};
pub use manifest::ManifestBuilder;
pub use row::Row;
pub use sandtrap_wit::{
    LogicalType, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND,
    batch::Cell,
    manifest::{Confidence, Level, Manifest, Status},
    prefilter::Atom,
    text,
};

/// What the expansion of [`export!`] needs; nothing to use directly.
#[doc(hidden)]
pub mod internal {
    pub use crate::{
        detection::{Component, assert_detection},
        wire::bindings,
    };
}

/// Makes a [`Detection`] the component's exports. Once in a crate, at its top level.
#[macro_export]
macro_rules! export {
    ($detection:ty) => {
        const _: () = {
            // Natively there is nothing to export, but a type that is no detection is still told so.
            $crate::internal::assert_detection::<$detection>();

            #[cfg(target_arch = "wasm32")]
            #[allow(unsafe_code, reason = "exports of the component model")]
            const _: () = {
                type Exported = $crate::internal::Component<$detection>;
        $crate::internal::bindings::export_component!(Exported with_types_in $crate::internal::bindings);
            };
        };
    };
}
