//! Whether a test's events get to its rule as it says: a test of events that the rule never sees could not fail.
//!
//! Looks at each event by itself and evaluates nothing.

use std::sync::Arc;

use sandtrap_formats::{
    binding::{Binder, Wanted},
    event::Event,
    streams::StreamMap,
};

use super::{Reaches, RuleTest};
use crate::run::ROUND_EVENTS;

/// Where one event of a test went.
struct Route {
    /// Whether it is a row of what the rule reads.
    reached: bool,
    /// Whether it belongs to no stream at all.
    unrouted: bool,
    /// What of it could not be converted.
    unconverted: Vec<String>,
}

/// What is wrong with where a test's events go; nothing when they get where it says. `wanted` is what the rule reads:
/// nothing for a rule that brings its own rows.
pub(super) fn complaints(
    test: &RuleTest,
    events: &[Event],
    wanted: &[Wanted],
    streams: &Arc<StreamMap>,
) -> Vec<String> {
    let Some(read) = wanted.first().map(|wanted| &wanted.stream) else {
        let idle = events.is_empty() && test.stream.is_none() && test.reaches == Reaches::Stream;
        let reason = "the rule brings its own rows and reads no events: leave `events` empty and `stream` and \
                      `reaches` out";
        return if idle { Vec::new() } else { vec![reason.to_owned()] };
    };
    if let Some(stream) = test.stream.as_ref().filter(|stream| *stream != read) {
        return vec![format!("the rule reads the stream {read}; it never sees rows of `stream: {stream}`")];
    }
    if events.is_empty() {
        let reason = "there are no events, so there can be no verdicts: give events that the rule must not report";
        return if test.expect.verdicts == 0 { vec![reason.to_owned()] } else { Vec::new() };
    }
    let routes: Vec<Route> = events.iter().map(|event| route(test, event, wanted, streams)).collect();
    let mut complaints = Vec::new();
    for (number, route) in (1_u64..).zip(&routes) {
        complaints.extend(route.unconverted.iter().map(|reason| format!("event {number}: {reason}")));
        match test.reaches {
            Reaches::Stream if route.unrouted => {
                complaints.push(format!("event {number} belongs to no stream; if that is meant, say `reaches: none`"));
            }
            Reaches::None if route.reached => {
                complaints.push(format!("event {number} reaches {read}, but the test says `reaches: none`"));
            }
            Reaches::Stream | Reaches::None => {}
        }
    }
    if test.reaches == Reaches::Stream && !routes.iter().any(|route| route.reached) {
        complaints
            .push(format!("no event reaches {read}, which the rule reads; if that is meant, say `reaches: none`"));
    }
    complaints
}

fn route(test: &RuleTest, event: &Event, wanted: &[Wanted], streams: &Arc<StreamMap>) -> Route {
    let mut binder = Binder::new(Arc::clone(streams), wanted.to_vec(), ROUND_EVENTS);
    let _ = match &test.stream {
        Some(stream) => binder.push_row(stream, event),
        None => binder.push(event),
    };
    // Cells are converted when they are asked for.
    let reached = binder.take().iter().any(|batch| batch.batch.rows > 0);
    let unconverted = binder.unconverted().into_iter().map(|cell| {
        let (name, ty) = (cell.column.field.join("."), cell.column.ty);
        format!("{name} cannot be converted to {ty} and would read as null; if that is meant, write null")
    });
    Route { unrouted: binder.counts().unrouted() > 0, unconverted: unconverted.collect(), reached }
}
