//! Rules that change while events are read: `--watch`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Context as _;
use sandtrap_embed::{
    evaluator::Evaluator,
    rules::{Followed, Follower, RuleFiles, RuleSet},
};

use crate::diagnostics;

/// How often it is looked whether the run is over.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Follows rule files on a thread of its own until it is dropped.
pub(super) struct Following {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    /// Follows the files of the set that the evaluator has.
    pub(super) fn start(files: RuleFiles, set: &RuleSet, evaluator: &Evaluator) -> anyhow::Result<Self> {
        let follower = Follower::new(files, set, Arc::clone(evaluator.succession()));
        let mut follower = follower.context("the rule files cannot be watched")?;
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let follow = move || {
            while !is_over.load(Ordering::Relaxed) {
                if let Some(followed) = follower.follow(LOOK_UP) {
                    show(&followed);
                }
            }
        };
        let thread: io::Result<_> = thread::Builder::new().name("rules".into()).spawn(follow);
        Ok(Self { over, thread: Some(thread.context("a thread cannot be started")?) })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            diagnostics::error("the thread that followed the rule files ended early; please report this");
        }
    }
}

fn show(followed: &Followed) {
    match followed {
        Followed::Same => {}
        Followed::InForce { difference, detections, took } => {
            let (added, removed, changed) = (difference.added, difference.removed, difference.changed);
            let are = if *detections == 1 { "detection is" } else { "detections are" };
            diagnostics::note(&format!(
                "{detections} {are} in force: {added} came, {removed} went, {changed} changed ({} ms)",
                took.as_millis()
            ));
        }
        Followed::Kept { refused, reason } => {
            refused.iter().for_each(diagnostics::show_refused);
            if let Some(reason) = reason {
                diagnostics::error(reason);
            }
            diagnostics::error(
                "the rules that are in force stay: the changed ones do not load; correct what is named above",
            );
        }
    }
}
