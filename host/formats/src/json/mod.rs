//! JSON read lazily: where a line's scalars lie, found with as little looking as can be.
//!
//! Lines of one input look alike, so a line is compared with what came before instead of being parsed ([`Shapes`]), and a
//! value is made from its bytes ([`Leaf`]) when somebody asks. Only sound lines are read so, and of these only what is
//! usual: everything else is left to `serde_json`, and so are the values that are not plain. What is read here is what
//! `serde_json` reads.

mod cursor;
mod leaf;
mod learn;
mod marks;
mod shapes;
mod trie;

pub(crate) use leaf::{Leaf, Scalar};
pub(crate) use shapes::{Shape, Shapes, leaf_of};
