//! The tests that stand beside rules.

mod file;
mod reach;
mod runner;

pub use file::{Expectation, Reaches, RuleTest, TestFileError, parse_tests};
pub use runner::{TEST_FILE_BYTES_MAX, TestOutcome, TestsError, run_tests, test_file_of, unused_test_files};
