//! Tests of the elements of a column of lists: each is one call of the runtime, which goes through them.

use std::net::IpAddr;

use sandtrap_runtime::{address, number::Comparison, wildcard};
use sandtrap_wit::text;
use wasm_encoder::Instruction;

use super::{abi, expr::Emitter, kernel::COLUMNS, runtime::RuntimeFunction, text::runtime_kind};
use crate::ir::{CompareOp, ElementTest, Expr, Network, Pattern, Piece};

impl Emitter<'_> {
    /// The number of the column of lists that an expression is.
    pub(super) fn list_column(&self, expr: &Expr) -> Option<u32> {
        match expr {
            Expr::Input { column, .. } if self.columns[*column as usize].list => Some(*column),
            _ => None,
        }
    }

    /// Leaves the address of a column's record and the row: what the runtime takes for the elements of a row.
    pub(super) fn push_elements(&mut self, column: u32) {
        let row = self.row;
        self.push_column(column);
        self.function.get(row);
    }

    fn push_column(&mut self, column: u32) {
        self.function.get(COLUMNS).u32(column.saturating_mul(abi::COLUMN_BYTES)).push(Instruction::I32Add);
    }

    /// Leaves whether the row has an element of at most so many bytes.
    pub(super) fn has_element(&mut self, column: u32, bytes_max: u32) {
        self.push_elements(column);
        self.function.u32(bytes_max).call(RuntimeFunction::HasElement);
    }

    /// Leaves whether an element passes.
    pub(super) fn any_element(&mut self, column: u32, test: &ElementTest) {
        match test {
            ElementTest::Wildcards { patterns, fold } => {
                self.table_test(&wildcard_table(patterns, *fold), column, RuntimeFunction::WildcardElements);
            }
            ElementTest::Cidr(networks) => {
                self.table_test(&network_table(networks), column, RuntimeFunction::CidrElements);
            }
            ElementTest::Number { op, value } => {
                self.function.u32(comparison(*op) as u32).push(Instruction::F64Const((*value).into()));
                self.push_elements(column);
                self.function.call(RuntimeFunction::NumberElements);
            }
            ElementTest::Field { column: other, kind, fold } => {
                self.function.u32(runtime_kind(*kind) as u32).i32(i32::from(*fold));
                self.push_column(column);
                self.push_elements(*other);
                self.function.call(RuntimeFunction::FieldElements);
            }
            ElementTest::Regex(regex) => {
                let table = regex.table();
                let address = self.data.add_words(table);
                self.function.u32(address).u32(u32::try_from(table.len()).unwrap_or(u32::MAX));
                self.push_elements(column);
                self.function.call(RuntimeFunction::RegexElements);
            }
        }
    }

    /// Leaves what a function of the runtime says of the row's elements by a table of bytes.
    fn table_test(&mut self, table: &[u8], column: u32, function: RuntimeFunction) {
        let address = self.data.add(table, 1);
        self.function.u32(address).u32(u32::try_from(table.len()).unwrap_or(u32::MAX));
        self.push_elements(column);
        self.function.call(function);
    }
}

/// The table that `sandtrap_runtime::wildcard` reads.
fn wildcard_table(patterns: &[Pattern], fold: bool) -> Vec<u8> {
    let mut table = vec![if fold { wildcard::FLAG_FOLD } else { 0 }];
    for Pattern(pieces) in patterns {
        let start = table.len();
        for piece in pieces {
            match piece {
                Piece::Literal(text) if fold => table.extend(text::fold(text).into_bytes()),
                Piece::Literal(text) => table.extend(text.as_bytes()),
                Piece::AnyCharacter => table.push(wildcard::ANY_CHARACTER),
                // Two say no more than one.
                Piece::AnyText if table.len() > start && table.last() == Some(&wildcard::ANY_TEXT) => {}
                Piece::AnyText => table.push(wildcard::ANY_TEXT),
            }
        }
        table.push(wildcard::END);
    }
    table
}

/// The table that `sandtrap_runtime::address` reads.
fn network_table(networks: &[Network]) -> Vec<u8> {
    networks.iter().flat_map(|network| network_entry(*network)).collect()
}

/// An IPv6 network of nothing but IPv4 addresses is the IPv4 network.
fn network_entry(network: Network) -> [u8; address::NETWORK_BYTES] {
    const MAPPED_BITS: u8 = 96;
    let (family, prefix, address) = match (network.address, network.address.to_canonical()) {
        (IpAddr::V4(address), _) => (4, network.prefix.min(32), address.to_ipv6_mapped()),
        (IpAddr::V6(written), IpAddr::V4(_)) if network.prefix >= MAPPED_BITS => {
            (4, (network.prefix - MAPPED_BITS).min(32), written)
        }
        (IpAddr::V6(address), _) => (6, network.prefix.min(128), address),
    };
    let mut entry = [0; address::NETWORK_BYTES];
    entry[0] = family;
    entry[1] = prefix;
    entry[2..].copy_from_slice(&address.octets());
    entry
}

/// An operator as the runtime has it; its number stands in emitted code.
fn comparison(op: CompareOp) -> Comparison {
    match op {
        CompareOp::Equal => Comparison::Equal,
        CompareOp::NotEqual => Comparison::NotEqual,
        CompareOp::Less => Comparison::Less,
        CompareOp::LessEqual => Comparison::LessEqual,
        CompareOp::Greater => Comparison::Greater,
        CompareOp::GreaterEqual => Comparison::GreaterEqual,
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::*;

    /// By trying every way to split the text, character by character.
    fn describes(pieces: &[Piece], text: &[char]) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((Piece::Literal(literal), rest)) => {
                let literal: Vec<char> = literal.chars().collect();
                text.strip_prefix(literal.as_slice()).is_some_and(|text| describes(rest, text))
            }
            Some((Piece::AnyCharacter, rest)) => text.split_first().is_some_and(|(_, text)| describes(rest, text)),
            Some((Piece::AnyText, rest)) => (0..=text.len()).any(|at| describes(rest, &text[at..])),
        }
    }

    fn folded_if(fold: bool, text: &str) -> String {
        if fold { text::fold(text) } else { text.to_owned() }
    }

    fn piece() -> impl Strategy<Value = Piece> {
        prop_oneof![
            2 => "[aAbk\u{212A}éÉ😀]{1,3}".prop_map(Piece::Literal),
            1 => Just(Piece::AnyCharacter),
            1 => Just(Piece::AnyText),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn wildcards_agree_with_trying_everything(
            patterns in proptest::collection::vec(proptest::collection::vec(piece(), 0..6), 0..3),
            text in "[aAbBk\u{212A}éÉ😀]{0,8}",
            fold: bool,
        ) {
            let patterns: Vec<Pattern> = patterns.into_iter().map(Pattern).collect();
            // The runtime folds a text before the test unless it is ASCII.
            let given = if text.is_ascii() { text.clone() } else { folded_if(fold, &text) };
            let compared: Vec<char> = folded_if(fold, &text).chars().collect();
            let expected = patterns.iter().any(|Pattern(pieces)| {
                let pieces: Vec<Piece> = pieces.iter().map(|piece| match piece {
                    Piece::Literal(literal) => Piece::Literal(folded_if(fold, literal)),
                    other => other.clone(),
                }).collect();
                describes(&pieces, &compared)
            });
            prop_assert_eq!(wildcard::matches(&wildcard_table(&patterns, fold), given.as_bytes()), expected);
        }

        /// `ipnet` on addresses near the network, so that both answers occur.
        #[test]
        fn networks_agree_with_ipnet(first: u128, prefix in 0..=128_u8, flipped in 0..128_u32, four: bool, mapped: bool) {
            let address = |bits: u128| if four {
                IpAddr::from(((bits >> 96) as u32).to_be_bytes())
            } else {
                IpAddr::from(bits.to_be_bytes())
            };
            let (network, address) = (address(first), address(first ^ 1_u128.rotate_right(flipped + 1)));
            let prefix = if four { prefix / 4 } else { prefix };
            let expected = IpNet::new(network, prefix).expect("a prefix in range").contains(&address);
            let text = match address {
                IpAddr::V4(address) if mapped => address.to_ipv6_mapped().to_string(),
                address => address.to_string(),
            };
            let table = network_table(&[Network { address: network, prefix }]);
            prop_assert_eq!(address::in_networks(&table, text.as_bytes()), expected, "{} in {}/{}", text, network, prefix);
        }
    }

    #[test]
    fn wildcards_that_look_expensive_are_not() {
        let text = "a".repeat(20_000);
        let stars = (0..30).flat_map(|_| [Piece::AnyText, Piece::Literal("a".into())]);
        let pattern = Pattern(stars.chain([Piece::AnyText, Piece::Literal("b".into())]).collect());
        assert!(!wildcard::matches(&wildcard_table(&[pattern], false), text.as_bytes()));
    }

    #[test]
    fn what_is_an_address_in_a_network() {
        let network = |text: &str| {
            let (address, prefix) = text.split_once('/').expect("a network");
            Network { address: address.parse().expect("an address"), prefix: prefix.parse().expect("a prefix") }
        };
        for (networks, text, expected) in [
            (&["10.0.0.0/8"][..], "10.1.2.3", true),
            (&["10.0.0.0/8"], "::ffff:10.1.2.3", true),
            (&["10.0.0.0/8"], "::FFFF:0a01:203", true),
            (&["::ffff:10.0.0.0/104"], "10.1.2.3", true),
            (&["::ffff:10.0.0.0/104"], "11.1.2.3", false),
            (&["::/0"], "10.1.2.3", false),
            (&["::/0"], "::1", true),
            (&["0.0.0.0/0"], "::1", false),
            (&["0.0.0.0/0"], "255.255.255.255", true),
            (&["fe80::/10", "10.0.0.0/8"], "10.9.9.9", true),
            (&["fe80::/10"], "fe80::1%eth0", false),
            (&["fe80::/10"], "[fe80::1]", false),
            (&["10.0.0.1/32"], "10.0.0.1", true),
            (&["10.0.0.1/8"], "10.200.0.0", true),
            (&["10.0.0.0/8"], "10.1.2.3:80", false),
            (&["10.0.0.0/8"], " 10.1.2.3", false),
            (&["10.0.0.0/8"], "10.1.2", false),
            (&["10.0.0.0/8"], "010.1.2.3", false),
            (&["10.0.0.0/8"], "", false),
            (&["10.0.0.0/8"], "host", false),
            (&[], "10.1.2.3", false),
        ] {
            let table = network_table(&networks.iter().map(|text| network(text)).collect::<Vec<_>>());
            assert_eq!(address::in_networks(&table, text.as_bytes()), expected, "{text} in {networks:?}");
        }
    }
}
