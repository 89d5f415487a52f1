//! Write a detection by hand in Rust.
