//! Progress of long work: on standard error, only when that is a terminal, and never between the lines of verdicts on
//! the same terminal.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar without known end turns.
const TICK: Duration = Duration::from_millis(120);

/// A progress bar, or nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of rules being loaded.
    pub(crate) fn of_rules() -> Self {
        Self::new(None, "{bar:30} {pos}/{len} rules {wide_msg}")
    }

    /// Of so many bytes being read; `None`: nobody knows how many there are.
    pub(crate) fn of_bytes(bytes: Option<u64>) -> Self {
        let shown = !io::stdout().is_terminal();
        let progress = match bytes {
            Some(_) => Self::new(bytes, "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"),
            None => Self::new(bytes, "{spinner} {bytes} {bytes_per_sec}"),
        };
        if !shown {
            progress.bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        progress
    }

    fn new(len: Option<u64>, template: &str) -> Self {
        // indicatif draws nothing when standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// This rule is loaded now.
    pub(crate) fn rule(&self, file: &Path, done: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(crate::diagnostics::clean(&file.to_string_lossy()));
    }

    /// So many more bytes were read.
    pub(crate) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Does something to the terminal while the bar is away.
    pub(crate) fn aside(&self, show: impl FnOnce()) {
        self.bar.suspend(show);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
