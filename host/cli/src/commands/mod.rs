//! One file for each command.

pub(crate) mod compile;
mod follow;
pub(crate) mod inspect;
pub(crate) mod lint;
mod load;
pub(crate) mod run;
pub(crate) mod test;
mod unpruned;
