//! Tests of the elements of a column of lists: what Sigma's values compile to beyond plain text searches.

use super::{CompareOp, MatchKind};
use crate::regex::Regex;

/// What an element must be.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementTest {
    /// It is, from end to end, what one of the patterns describes; both are folded first if `fold` says so.
    Wildcards {
        /// The patterns, as written in the rule (not folded).
        patterns: Vec<Pattern>,
        /// Whether case does not matter.
        fold: bool,
    },
    /// The expression is found in it, anywhere unless it is anchored.
    Regex(Regex),
    /// It is an IP address in one of the networks. An IPv4 address that is written as IPv6 (`::ffff:1.2.3.4`) is the IPv4
    /// address.
    Cidr(Vec<Network>),
    /// It is a number that compares so with the constant: a decimal number as JSON writes it, ASCII white space around it
    /// ignored.
    Number {
        /// The element is on the left.
        op: CompareOp,
        /// The constant; finite.
        value: f64,
    },
    /// An element of the other column of lists lies in it so.
    Field {
        /// The other column.
        column: u32,
        /// `Equals`, `Contains`, `StartsWith` or `EndsWith`.
        kind: MatchKind,
        /// Whether case does not matter.
        fold: bool,
    },
}

/// A text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(pub Vec<Piece>);

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// This text.
    Literal(String),
    /// One character, `?`.
    AnyCharacter,
    /// Any text, the empty one too, `*`.
    AnyText,
}

/// A network of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Its first address.
    pub address: std::net::IpAddr,
    /// How many leading bits are the network's: at most 32 or 128.
    pub prefix: u8,
}
