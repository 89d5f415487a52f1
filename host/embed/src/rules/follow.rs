//! Rule files that are followed while events flow: what changes among them becomes the set in force, if it loads.

use std::{
    collections::BTreeMap,
    io, mem,
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    Refused, RuleFiles, RuleSet,
    watch::{Changed, Watch},
};
use crate::evaluator::{Difference, Succession};

/// How much the loading of rules gives way to everything else, as `nice` has it.
#[cfg(target_os = "linux")]
const BACKGROUND: i32 = 10;

/// What was said of refused rules, and of how many: two rules of a file may be wrong in the same way.
type Texts = BTreeMap<String, usize>;

/// Follows the files of a set that is in force.
#[derive(Debug)]
pub struct Follower {
    files: RuleFiles,
    watch: Watch,
    succession: Arc<Succession>,
    /// Where rules are loaded, beside the workers.
    pool: ThreadPool,
    /// What was refused in the set that is in force, as text: it is not complained of again.
    refused: Texts,
    /// Why the last change is not in force, as text.
    complaint: Texts,
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
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get) / 2;
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|_| "rules".into())
            .start_handler(|_| give_way())
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            pool,
            files,
            watch,
            succession,
            refused: texts(&set.refused),
            complaint: Texts::new(),
            looked: false,
        })
    }

    /// Waits for a change, but not for longer than that, and says what became of it. The same complaint is not made twice in
    /// a row.
    pub fn follow(&mut self, timeout: Duration) -> Option<Followed> {
        // They may have changed before they were watched.
        let looked = mem::replace(&mut self.looked, true);
        let changed = if looked { self.watch.wait(timeout) } else { Some(Changed::Anything) };
        self.succession.free_unused();
        let changed = changed?;
        let followed = self.reload_on_pool(&changed);
        let complaint = match &followed {
            Followed::Kept { refused, reason } => {
                texts(refused).into_iter().chain(reason.clone().map(|reason| (reason, 1))).collect()
            }
            Followed::Same | Followed::InForce { .. } => Texts::new(),
        };
        let is_known = !complaint.is_empty() && complaint == self.complaint;
        self.complaint = complaint;
        Some(if is_known { Followed::Same } else { followed })
    }

    fn reload_on_pool(&mut self, changed: &Changed) -> Followed {
        let Self { files, succession, pool, refused, .. } = self;
        pool.install(|| reload(files, succession, refused, changed))
    }
}

/// Loads what changed and puts it in force. What is `refused` already is not complained of.
fn reload(files: &mut RuleFiles, succession: &Succession, known: &mut Texts, changed: &Changed) -> Followed {
    let started = Instant::now();
    let loaded = match changed {
        Changed::Paths(paths) => files.load_changed(paths),
        Changed::Anything => files.load(&|_| {}).map(|(set, _)| set),
    };
    let set = match loaded {
        Ok(set) => set,
        Err(refused) => return Followed::Kept { refused, reason: None },
    };
    let refused = texts(&set.refused);
    let is_more = |text: &str| refused.get(text) > known.get(text);
    if refused.keys().any(|text| is_more(text)) {
        let is_new = |refused: &Refused| is_more(&refused.to_string());
        return Followed::Kept { refused: set.refused.into_iter().filter(is_new).collect(), reason: None };
    }
    if set.rules.is_empty() {
        return Followed::Kept { refused: Vec::new(), reason: Some("there is no rule any more".into()) };
    }
    let successor = match succession.prepare(&set.rules) {
        Ok(successor) => successor,
        Err(error) => return Followed::Kept { refused: Vec::new(), reason: Some(error.to_string()) },
    };
    *known = refused;
    let difference = successor.difference;
    if difference.is_empty() {
        return Followed::Same;
    }
    succession.put_in_force(successor);
    Followed::InForce { difference, detections: set.rules.len(), took: started.elapsed() }
}

/// The processor is for the workers first. Where that cannot be said, they share it.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, BACKGROUND);
}

fn texts(refused: &[Refused]) -> Texts {
    let mut texts = Texts::new();
    for refused in refused {
        let count = texts.entry(refused.to_string()).or_default();
        *count = count.saturating_add(1);
    }
    texts
}
