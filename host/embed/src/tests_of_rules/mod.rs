//! The tests that stand beside rules.

mod file;
mod runner;

pub use file::{Expectation, RuleTest, TestFileError, parse_tests};
pub use runner::{TEST_FILE_BYTES_MAX, TestOutcome, TestsError, run_tests, test_file_of};
