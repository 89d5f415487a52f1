//! Where a run's verdicts go: standard output. What is wrong goes to standard error, the first few of each kind only.

use std::{
    collections::HashMap,
    io::{self, BufWriter, StdoutLock, Write as _},
};

use sandtrap_embed::formats::{ndjson::ReadError, verdict::Verdict};
use sandtrap_embed::{
    evaluator::{Answer, Paused, Unevaluated},
    run::Sink,
};

use crate::{args::RunFormat, diagnostics, progress::Progress, table};

/// How many bad lines, and how many failures of each detection, are shown one by one. The summary counts all.
const SHOWN_MAX: usize = 5;

/// Standard output and error as a [`Sink`].
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    progress: Progress,
    format: RunFormat,
    bad_lines: usize,
    failures: HashMap<String, usize>,
}

impl Output {
    pub(crate) fn new(progress: Progress, format: RunFormat) -> Self {
        let out = BufWriter::new(io::stdout().lock());
        Self { out, progress, format, bad_lines: 0, failures: HashMap::new() }
    }

    /// Takes the progress bar away, for the summary.
    pub(crate) fn finish(&self) {
        self.progress.finish();
    }

    fn complain(&self, message: &str) {
        self.progress.aside(|| diagnostics::error(message));
    }
}

impl Sink for Output {
    fn verdict(&mut self, verdict: &Verdict) -> io::Result<()> {
        if self.format == RunFormat::Summary { Ok(()) } else { verdict.write(&mut self.out) }
    }

    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let rows = answer.table.batch.rows;
        if rows == 0 {
            return Ok(());
        }
        let detection = &answer.detection;
        let (id, title) = (diagnostics::clean(&detection.id), diagnostics::clean(&detection.title));
        let of_rows = if rows == 1 { "row" } else { "rows" };
        let level = detection.level.map_or_else(String::new, |level| format!(" ({})", level.name()));
        writeln!(self.out, "{id}{level}: {title}, {rows} {of_rows}")?;
        writeln!(self.out, "{}\n", table::of_result(&answer.table))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn unevaluated(&mut self, unevaluated: &Unevaluated) {
        let shown = self.failures.entry(unevaluated.detection.clone()).or_default();
        *shown = shown.saturating_add(1);
        let (shown, message) = (*shown, unevaluated.to_string());
        if shown <= SHOWN_MAX {
            self.complain(&message);
        }
    }

    fn paused(&mut self, paused: &Paused) {
        self.complain(&paused.to_string());
    }

    fn bad_line(&mut self, error: &ReadError) {
        self.bad_lines = self.bad_lines.saturating_add(1);
        if self.bad_lines <= SHOWN_MAX || error.ends_input() {
            self.complain(&error.to_string());
        }
    }

    fn unopened(&mut self, input: &str, error: &io::Error) {
        self.complain(&format!("{input}: {error}"));
    }

    fn progress(&mut self, bytes: u64) {
        self.progress.add(bytes);
    }
}
