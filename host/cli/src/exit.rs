//! How a run of the command ended, as an exit code. docs/cli.md and `--help` list them.

use std::{fmt, process::ExitCode};

/// How a run of the command ended; the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Everything was done.
    Done,
    /// A rule was refused or could not be evaluated, or a test failed.
    RulesFailed,
    /// An input could not be read, or has a bad line under `--strict`.
    InputFailed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::RulesFailed => Self::from(1),
            Outcome::InputFailed => Self::from(3),
        }
    }
}

/// The command line is wrong in a way that clap cannot see. Exit code 2, as clap's own.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl UsageError {
    pub(crate) const EXIT_CODE: u8 = 2;
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; see `sandtrap --help`", self.0)
    }
}

impl std::error::Error for UsageError {}
