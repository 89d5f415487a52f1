//! What this process uses: memory, as Linux says it, and time, both the clock's and that of the processor.
//!
//! Processor time is that of all threads of the process. On a machine that others use, too, it says what a lane costs; the
//! clock's time says how long the others made it wait.

use std::{fs, time::Instant};

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// How long something took, in seconds.
#[derive(Clone, Copy, Serialize)]
pub struct Took {
    /// By the clock.
    pub wall_s: f64,
    /// On processors, all threads together.
    pub cpu_s: f64,
}

/// Since when something takes.
pub struct Since {
    wall: Instant,
    cpu_s: f64,
}

impl Since {
    /// Since now.
    pub fn now() -> Self {
        Self { wall: Instant::now(), cpu_s: cpu_s() }
    }

    /// How long that is ago.
    pub fn took(&self) -> Took {
        Took { wall_s: self.wall.elapsed().as_secs_f64(), cpu_s: cpu_s() - self.cpu_s }
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a process")]
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory.
#[derive(Serialize)]
pub struct Usage {
    /// Now, in KiB.
    pub resident_kib: u64,
    /// At most so far, in KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// Of now.
    pub fn now() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("there is no /proc here")?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.with_context(|| format!("no {name} in /proc/self/status"))
        };
        Ok(Self { resident_kib: kib("VmRSS:")?, peak_kib: kib("VmHWM:")? })
    }
}
