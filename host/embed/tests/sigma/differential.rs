//! Invariant 3 for Sigma: generated rules over generated events.

use std::collections::BTreeMap;

use sandtrap_compiler::reference::sigma::Placeholders;
use serde_json::{Map, Value};

use crate::{
    event::event,
    random::Random,
    run::{File, Sandbox},
    write::{self, PLACEHOLDERS, Rule},
};

/// Rules and the events for each: 50,000 pairs at least. `SANDTRAP_DIFFERENTIAL_QUERIES` asks for more.
const RULES: u64 = 640;
const EVENTS: usize = 100;

/// What both ways make of a rule.
enum Outcome {
    /// The same verdicts.
    Same(Vec<bool>),
    /// Nothing: neither takes it.
    BothRefuse(String),
    /// The compiler refuses what the interpreter evaluates.
    CompilerRefuses(String),
    /// Something else; of this event, where it is about one.
    Different(String, Option<usize>),
}

#[test]
fn components_equal_the_reference_interpreter() {
    let sandbox = Sandbox::new();
    let placeholders = placeholders();
    let (mut compared, mut matches) = (0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let more = std::env::var("SANDTRAP_DIFFERENTIAL_QUERIES").ok().and_then(|text| text.parse().ok());
    for seed in 0..more.unwrap_or(RULES).max(RULES) {
        let mut random = Random::new(seed);
        let events: Vec<_> = (0..EVENTS).map(|_| event(&mut random)).collect();
        let rule = write::rule(&mut random, &events);
        match outcome(&sandbox, &placeholders, &rule, &events) {
            Outcome::Same(verdicts) => {
                compared += 1;
                matches += verdicts.iter().filter(|verdict| **verdict).count();
            }
            Outcome::BothRefuse(reason) => *refused.entry(reason).or_default() += 1,
            Outcome::CompilerRefuses(reason) => {
                panic!("seed {seed}: only the compiler refuses\n{}{reason}", rule.yaml())
            }
            Outcome::Different(difference, event) => {
                let (rule, event, difference) = shrunk(&sandbox, &placeholders, rule, &events, event, difference);
                panic!("seed {seed}: {difference}\n{}{}", rule.yaml(), Value::Object(event));
            }
        }
    }
    let pairs = compared * EVENTS;
    println!("{compared} rules over {EVENTS} events each, {matches} matches, {refused:?} refused by both");
    assert!(pairs >= 50_000, "only {pairs} pairs were compared");
    assert!(matches * 10 >= pairs && matches * 2 <= pairs, "{matches} of {pairs} match: the generator misses");
}

fn placeholders() -> Placeholders {
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    PLACEHOLDERS.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect()
}

fn outcome(sandbox: &Sandbox, placeholders: &Placeholders, rule: &Rule, events: &[Map<String, Value>]) -> Outcome {
    let file = match File::read(rule.yaml()) {
        Ok(file) => file,
        Err(reason) => return Outcome::BothRefuse(reason.chars().take(60).collect()),
    };
    let compiled = sandbox.compile(&file, placeholders);
    let (expected, compiled) = match (file.expected(placeholders, events), compiled) {
        (Ok(expected), Ok(compiled)) => (expected, compiled),
        (Err(reason), Err(_)) => return Outcome::BothRefuse(reason.chars().take(60).collect()),
        (Ok(_), Err(reason)) => return Outcome::CompilerRefuses(reason),
        (Err(reason), Ok(_)) => return Outcome::Different(format!("only the reference refuses: {reason}"), None),
    };
    let verdicts = match compiled.verdicts(events) {
        Ok(verdicts) => verdicts,
        Err(reason) => return Outcome::Different(reason, None),
    };
    match expected.iter().zip(&verdicts).position(|(expected, given)| expected != given) {
        None => Outcome::Same(verdicts),
        Some(at) => Outcome::Different(format!("the component says {} of this event", verdicts[at]), Some(at)),
    }
}

/// The rule and an event that still differ, without what is not needed for it.
fn shrunk(
    sandbox: &Sandbox,
    placeholders: &Placeholders,
    mut rule: Rule,
    events: &[Map<String, Value>],
    at: Option<usize>,
    mut difference: String,
) -> (Rule, Map<String, Value>, String) {
    let differs = |rule: &Rule, event: &Map<String, Value>| match outcome(
        sandbox,
        placeholders,
        rule,
        std::slice::from_ref(event),
    ) {
        Outcome::Different(difference, _) => Some(difference),
        _ => None,
    };
    let alone = at.into_iter().chain(0..events.len()).find(|at| differs(&rule, &events[*at]).is_some());
    let Some(alone) = alone else { return (rule, events[at.unwrap_or(0)].clone(), difference) };
    let mut event = events[alone].clone();
    loop {
        let smaller_rules = rule.smaller().into_iter().map(|smaller| (smaller, event.clone()));
        let smaller_events = event.keys().map(|key| {
            let mut smaller = event.clone();
            smaller.remove(key);
            (rule.clone(), smaller)
        });
        let mut candidates = smaller_rules.chain(smaller_events);
        let found = candidates.find_map(|(rule, event)| Some((differs(&rule, &event)?, rule, event)));
        drop(candidates);
        match found {
            Some(found) => (difference, rule, event) = found,
            None => return (rule, event, difference),
        }
    }
}
