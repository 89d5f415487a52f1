//! Rule files that are followed while events flow: what changes among them becomes the set in force, if it loads.

use std::{
    collections::BTreeSet,
    io, mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Refused, RuleFiles, RuleSet, watch::Watch};
use crate::evaluator::{Difference, Succession};

/// Follows the files of a set that is in force.
#[derive(Debug)]
pub struct Follower {
    files: RuleFiles,
    watch: Watch,
    succession: Arc<Succession>,
    /// What was refused in the set that is in force, as text: it is not complained of again.
    refused: BTreeSet<String>,
    /// Why the last change is not in force, as text.
    complaint: BTreeSet<String>,
    /// Whether the files were looked at since they are watched.
    looked: bool,
}

/// What became of a change.
#[derive(Debug)]
pub enum Followed {
    /// The rules in force are what they were, and there is nothing new to say.
    Same,
    /// Another set is in force.
    InForce {
        /// How it differs.
        difference: Difference,
        /// How many detections it has.
        detections: usize,
        /// How long that took, from when the change was complete.
        took: Duration,
    },
    /// The set in force stays, because the other one does not load.
    Kept {
        /// Why not: what was not refused before.
        refused: Vec<Refused>,
        /// Why else.
        reason: Option<String>,
    },
}

impl Follower {
    /// Follows these files, which gave that set, and puts others in force here.
    pub fn new(files: RuleFiles, set: &RuleSet, succession: Arc<Succession>) -> io::Result<Self> {
        let watch = Watch::new(&files.paths())?;
        Ok(Self { files, watch, succession, refused: texts(&set.refused), complaint: BTreeSet::new(), looked: false })
    }

    /// Waits for a change, but not for longer than that, and says what became of it. The same complaint is not made twice in
    /// a row.
    pub fn follow(&mut self, timeout: Duration) -> Option<Followed> {
        // They may have changed before they were watched.
        let is_changed = !mem::replace(&mut self.looked, true) || self.watch.wait(timeout);
        self.succession.free_unused();
        if !is_changed {
            return None;
        }
        let followed = self.reload();
        let complaint = match &followed {
            Followed::Kept { refused, reason } => texts(refused).into_iter().chain(reason.clone()).collect(),
            Followed::Same | Followed::InForce { .. } => BTreeSet::new(),
        };
        let is_known = !complaint.is_empty() && complaint == self.complaint;
        self.complaint = complaint;
        Some(if is_known { Followed::Same } else { followed })
    }

    /// Looks at all files again.
    pub fn reload(&mut self) -> Followed {
        let started = Instant::now();
        let set = match self.files.load(&|_| {}) {
            Ok((set, _)) => set,
            Err(refused) => return Followed::Kept { refused, reason: None },
        };
        let refused = texts(&set.refused);
        if !refused.is_subset(&self.refused) {
            let is_new = |refused: &Refused| !self.refused.contains(&refused.to_string());
            return Followed::Kept { refused: set.refused.into_iter().filter(is_new).collect(), reason: None };
        }
        if set.rules.is_empty() {
            return Followed::Kept { refused: Vec::new(), reason: Some("there is no rule any more".into()) };
        }
        let successor = match self.succession.prepare(&set.rules) {
            Ok(successor) => successor,
            Err(error) => return Followed::Kept { refused: Vec::new(), reason: Some(error.to_string()) },
        };
        self.refused = refused;
        let difference = successor.difference;
        if difference.is_empty() {
            return Followed::Same;
        }
        self.succession.put_in_force(successor);
        Followed::InForce { difference, detections: set.rules.len(), took: started.elapsed() }
    }
}

fn texts(refused: &[Refused]) -> BTreeSet<String> {
    refused.iter().map(ToString::to_string).collect()
}
