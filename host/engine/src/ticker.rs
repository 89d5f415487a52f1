//! The engine's clock: one thread that advances wasmtime's epoch, against which every deadline is counted.
//!
//! It sleeps between ticks and counts one for each wake-up, so a machine that stalls altogether lengthens deadlines
//! rather than ending honest calls. It stops when it is dropped.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The time from one tick to the next: a hundred wake-ups a second cost nothing to speak of.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How many ticks a deadline has: rounded up, and one more because the first may come at once.
pub(crate) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_millis().div_ceil(TICK.as_millis());
    u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1)
}

/// The running clock.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the clock of an engine.
    pub(crate) fn start(engine: wasmtime::Engine) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("sandtrap-ticker".into()).spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                thread::park_timeout(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic, and nothing could be done here if it had.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_shorter_than_asked() {
        for (deadline_ms, expected) in [(0, 1), (1, 2), (10, 2), (11, 3), (500, 51)] {
            assert_eq!(ticks(Duration::from_millis(deadline_ms)), expected, "{deadline_ms} ms");
        }
    }
}
