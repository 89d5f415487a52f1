//! The Sigma front end, from a rule to its plan and typed program.

#[path = "../bind/show.rs"]
#[expect(dead_code, reason = "the tests of KQL use all of it")]
mod show;

mod limits;
mod modifiers;
mod site;
mod trees;
