//! The parser: what it accepts, where its errors stand, and that no text makes it fail.

mod agreement;
mod robustness;
mod trees;
