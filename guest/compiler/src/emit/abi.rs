//! Where the fields of `detection.wit` lie in linear memory, by the component model's canonical ABI
//! (<https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>): an option is a byte and, at
//! the payload's alignment, the payload; a list is pointer and length; a variant is like an option.

/// Bytes of a `column`.
pub(super) const COLUMN_BYTES: u32 = 56;
/// Where an optional list has its pointer; the length follows.
pub(super) const OPTION_POINTER: u32 = 4;
/// `column.validity`: whether there is one.
pub(super) const COLUMN_VALIDITY: u32 = 0;
/// `column.validity`: pointer; its length follows.
pub(super) const COLUMN_VALIDITY_POINTER: u32 = 4;
/// `column.absent`: whether there is one.
pub(super) const COLUMN_ABSENT: u32 = 12;
/// `column.lists`: whether there are any. Who reads them is the runtime, in `column.rs`.
pub(super) const COLUMN_LISTS: u32 = 24;
/// `column.values`: which case.
pub(super) const COLUMN_CASE: u32 = 36;
/// `column.values`: pointer to the cells or, for text, to the offsets; the length follows.
pub(super) const COLUMN_CELLS: u32 = 40;
/// `column.values` of text: pointer to the bytes; the length follows.
pub(super) const COLUMN_TEXT_BYTES: u32 = 48;

/// The cases of `values`.
pub(super) const CASE_TEXT: i32 = 0;
pub(super) const CASE_INTEGERS: i32 = 1;
pub(super) const CASE_REALS: i32 = 2;
pub(super) const CASE_BOOLEANS: i32 = 3;

/// Bytes of `matches`.
pub(super) const MATCHES_BYTES: u32 = 16;
/// `matches.rows`: pointer; the length follows.
pub(super) const MATCHES_ROWS: u32 = 0;
/// `matches.columns`: pointer; the length follows.
pub(super) const MATCHES_COLUMNS: u32 = 8;
