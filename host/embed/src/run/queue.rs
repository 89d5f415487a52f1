//! What was read of one input and not evaluated yet: chunks in order, bounded by what their events weigh in memory.
//!
//! A channel bounds how many chunks wait, and one chunk can weigh a thousand times another. One thread puts in, one takes
//! out. A chunk that is heavier than the bound goes in alone.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::input::Chunk;

/// An empty queue of chunks that together weigh at most so many bytes.
pub(super) fn queue(weight_max: u64) -> (Inlet, Outlet) {
    let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), weight_max });
    (Inlet { shared: Arc::clone(&shared) }, Outlet { shared })
}

/// Where chunks are put in. When it is dropped the queue ends.
#[derive(Debug)]
pub(super) struct Inlet {
    shared: Arc<Shared>,
}

/// Where chunks are taken out. When it is dropped nobody listens any more.
#[derive(Debug)]
pub(super) struct Outlet {
    shared: Arc<Shared>,
}

/// What a queue had.
#[derive(Debug)]
pub(super) enum Taken {
    Chunk(Chunk),
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    weight_max: u64,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Chunk>,
    weight: u64,
    ended: bool,
    unheard: bool,
}

impl Shared {
    /// A thread that panicked holding the lock leaves a state that is whole: no code of ours runs in between.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inlet {
    /// Waits for room and puts a chunk in. Whether somebody still listens.
    pub(super) fn put(&self, chunk: Chunk) -> bool {
        let full = |state: &mut State| {
            let weight = state.weight.saturating_add(chunk.weight);
            !state.unheard && !state.chunks.is_empty() && weight > self.shared.weight_max
        };
        let waited = self.shared.changed.wait_while(self.shared.lock(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.unheard {
            return false;
        }
        state.weight = state.weight.saturating_add(chunk.weight);
        state.chunks.push_back(chunk);
        self.shared.changed.notify_all();
        true
    }
}

impl Outlet {
    /// Takes the next chunk, if it comes before then.
    pub(super) fn take(&self, until: Instant) -> Taken {
        let timeout = until.saturating_duration_since(Instant::now()).max(Duration::from_micros(1));
        let waiting = |state: &mut State| state.chunks.is_empty() && !state.ended;
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), timeout, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.chunks.pop_front() {
            Some(chunk) => {
                state.weight = state.weight.saturating_sub(chunk.weight);
                self.shared.changed.notify_all();
                Taken::Chunk(chunk)
            }
            None if state.ended => Taken::End,
            None => Taken::Nothing,
        }
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.unheard = true;
        state.chunks.clear();
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn chunk(weight: u64) -> Chunk {
        Chunk { weight, ..Chunk::default() }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    fn weight(outlet: &Outlet) -> Option<u64> {
        match outlet.take(soon()) {
            Taken::Chunk(chunk) => Some(chunk.weight),
            Taken::Nothing | Taken::End => None,
        }
    }

    #[test]
    fn chunks_come_in_order_and_never_weigh_more_than_the_bound() {
        let weights = [60, 40, 1, 500, 7, 99, 2];
        let (inlet, outlet) = queue(100);
        let writer = thread::spawn(move || weights.into_iter().all(|weight| inlet.put(chunk(weight))));
        let mut taken = Vec::new();
        while let Some(weight) = weight(&outlet) {
            taken.push(weight);
            let state = outlet.shared.lock();
            assert!(state.weight <= 100 || state.chunks.len() == 1, "{} in {}", state.weight, state.chunks.len());
        }
        assert_eq!(taken, weights);
        assert_eq!(writer.join().ok(), Some(true));
        assert!(matches!(outlet.take(soon()), Taken::End));
    }

    #[test]
    fn nothing_is_said_when_nothing_came() {
        let (inlet, outlet) = queue(100);
        assert!(matches!(outlet.take(Instant::now()), Taken::Nothing));
        assert!(inlet.put(chunk(1)));
        assert_eq!(weight(&outlet), Some(1));
    }

    #[test]
    fn who_waits_for_room_learns_that_nobody_listens() {
        let (inlet, outlet) = queue(100);
        assert!(inlet.put(chunk(100)));
        let writer = thread::spawn(move || inlet.put(chunk(1)));
        drop(outlet);
        assert_eq!(writer.join().ok(), Some(false));
    }
}
