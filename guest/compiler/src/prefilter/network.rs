//! How the addresses of a network are written: what a text must start with, or have in it, to be one of them.
//!
//! What is an address is what `std::net::IpAddr` reads (see `sandtrap_runtime::address`): IPv4 as four decimal numbers
//! without leading zeros, or as IPv6; IPv6 in groups of one to four hexadecimal digits, with `::` for zeros anywhere. Both
//! are ASCII, so folding only makes their letters small.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sandtrap_wit::prefilter::Test;

use crate::ir::Network;

/// So many starts one network may become; with more it is its shorter start.
const STARTS_MAX: u32 = 64;
/// The bits of an octet, a hexadecimal digit, and a group of them.
const OCTET_BITS: u32 = 8;
const DIGIT_BITS: u32 = 4;
const GROUP_DIGITS: u32 = 4;

/// One of these holds of every text that is an address in the network.
pub(super) fn tests(network: &Network) -> Vec<Test> {
    let prefix = u32::from(network.prefix);
    match network.address {
        IpAddr::V4(address) => v4(address, prefix),
        IpAddr::V6(address) => v6(address, prefix),
    }
}

/// The octets that the network fixes, each with its dot, and all values of the one that it cuts. Written as IPv6, an
/// IPv4 address follows a group that is `ffff`, which has no shorter spelling.
fn v4(address: Ipv4Addr, prefix: u32) -> Vec<Test> {
    let octets = address.octets();
    let fixed = (prefix / OCTET_BITS) as usize;
    let cut = prefix % OCTET_BITS;
    let start: String = octets.iter().take(fixed).flat_map(|octet| [octet.to_string(), ".".into()]).collect();
    let values = 1_u32.checked_shl(OCTET_BITS.saturating_sub(cut)).unwrap_or(u32::MAX);
    let mut tests = match octets.get(fixed) {
        None => vec![Test::Equals(address.to_string())],
        Some(octet) if cut > 0 && values <= STARTS_MAX => {
            let mask = u8::MAX.checked_shr(cut).unwrap_or(0);
            let dot = if fixed == octets.len().saturating_sub(1) { "" } else { "." };
            let value = |octet: u8| format!("{start}{octet}{dot}");
            let all = (octet & !mask)..=(octet | mask);
            if dot.is_empty() {
                all.map(|octet| Test::Equals(value(octet))).collect()
            } else {
                all.map(|octet| Test::Prefix(value(octet))).collect()
            }
        }
        Some(_) if start.is_empty() => vec![Test::Contains(".".into())],
        Some(_) => vec![Test::Prefix(start)],
    };
    tests.push(Test::Contains("ffff:".into()));
    tests
}

/// The digits of the first group that the network fixes, where none of its addresses may write that group shorter, as
/// it may when its first digit is 0. Else a colon, which every such address has.
fn v6(address: Ipv6Addr, prefix: u32) -> Vec<Test> {
    let [first, ..] = address.segments();
    let digits = format!("{first:04x}");
    let fixed = (prefix / DIGIT_BITS).min(GROUP_DIGITS);
    let cut = if fixed < GROUP_DIGITS { prefix % DIGIT_BITS } else { 0 };
    let leading = digits.chars().next().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
    let any_digit = vec![Test::Contains(":".into())];
    // The least first digit is the network's own, or 0 where that is not fixed at all.
    if prefix == 0 || leading == 0 {
        return any_digit;
    }
    let start: String = digits.chars().take(fixed as usize).collect();
    if fixed == GROUP_DIGITS {
        return vec![Test::Prefix(format!("{start}:"))];
    }
    let Some(digit) = digits.chars().nth(fixed as usize).and_then(|digit| digit.to_digit(16)).filter(|_| cut > 0)
    else {
        return vec![Test::Prefix(start)];
    };
    let mask = 0xf_u32.checked_shr(cut).unwrap_or(0);
    ((digit & !mask)..=(digit | mask)).map(|digit| Test::Prefix(format!("{start}{digit:x}"))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sandtrap_runtime::address::in_networks;
    use sandtrap_wit::prefilter::Tested;

    use super::*;

    fn network(text: &str) -> Network {
        let (address, prefix) = text.split_once('/').expect("a prefix");
        Network { address: address.parse().expect("an address"), prefix: prefix.parse().expect("bits") }
    }

    #[test]
    fn says_how_addresses_are_written() {
        let shown = |network: &str| -> Vec<String> {
            let shown = |test: Test| match test {
                Test::Prefix(text) => format!("^{text}"),
                Test::Equals(text) => format!("={text}"),
                Test::Contains(text) => format!("~{text}"),
                other => format!("{other:?}"),
            };
            tests(&self::network(network)).into_iter().map(shown).collect()
        };
        for (network, expected) in [
            ("10.0.0.0/8", vec!["^10.", "~ffff:"]),
            ("192.168.0.0/16", vec!["^192.168.", "~ffff:"]),
            ("192.168.4.0/24", vec!["^192.168.4.", "~ffff:"]),
            ("192.168.4.4/32", vec!["=192.168.4.4", "~ffff:"]),
            ("192.168.4.4/31", vec!["=192.168.4.4", "=192.168.4.5", "~ffff:"]),
            ("100.64.0.0/15", vec!["^100.64.", "^100.65.", "~ffff:"]),
            ("172.16.0.0/9", vec!["^172.", "~ffff:"]),
            ("0.0.0.0/0", vec!["~.", "~ffff:"]),
            ("0.0.0.0/1", vec!["~.", "~ffff:"]),
            ("fe80::/10", vec!["^fe8", "^fe9", "^fea", "^feb"]),
            ("fc00::/7", vec!["^fc", "^fd"]),
            ("2620:83:8000::/48", vec!["^2620:"]),
            ("2000::/3", vec!["^2", "^3"]),
            ("::1/128", vec!["~:"]),
            ("::/0", vec!["~:"]),
            ("64:ff9b::/96", vec!["~:"]),
        ] {
            assert_eq!(shown(network), expected, "{network}");
        }
    }

    /// Every way to write an address that the runtime takes, roughly.
    fn spellings() -> impl Strategy<Value = String> {
        let v4 = (prop::array::uniform4(prop_oneof![Just(10_u8), Just(192), Just(172), any::<u8>()]))
            .prop_map(Ipv4Addr::from);
        let groups =
            prop::array::uniform8(prop_oneof![Just(0_u16), Just(0xffff), Just(0xfe80), Just(0x83), any::<u16>()]);
        prop_oneof![
            v4.clone().prop_map(|v4| v4.to_string()),
            v4.clone().prop_map(|v4| format!("::ffff:{v4}")),
            v4.clone().prop_map(|v4| format!("0:0:0000:0:0:FFFF:{v4}")),
            v4.clone().prop_map(|v4| format!("::{v4}")),
            v4.prop_map(|v4| {
                let [a, b, c, d] = v4.octets();
                format!("::FfFf:{a:02x}{b:02X}:{c:x}{d:02x}")
            }),
            groups.clone().prop_map(|groups| Ipv6Addr::from(groups).to_string()),
            groups.clone().prop_map(|groups| groups.map(|group| format!("{group:04X}")).join(":")),
            groups.prop_map(|groups| groups.map(|group| format!("{group:x}")).join(":")),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_network_is_written_so(text in spellings(), prefix in 0_u8..=128, near in any::<bool>(), other in spellings()) {
            let base = if near { &text } else { &other };
            let address: IpAddr = base.parse().expect("an address");
            // As rules have them: the first address of the network.
            let network = match address.to_canonical() {
                IpAddr::V4(address) => {
                    let prefix = prefix.min(32);
                    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                    Network { address: Ipv4Addr::from_bits(address.to_bits() & mask).into(), prefix }
                }
                IpAddr::V6(address) => {
                    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                    Network { address: Ipv6Addr::from_bits(address.to_bits() & mask).into(), prefix }
                }
            };
            let mut table = vec![if network.address.is_ipv4() { 4 } else { 6 }, network.prefix];
            table.extend(match network.address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            });
            let folded = sandtrap_wit::text::fold(&text);
            let is_in = in_networks(&table, text.as_bytes());
            prop_assert!(is_in || !near, "an address is in its own network");
            let admits = tests(&network).iter().any(|test| test.holds(Tested::Folded(&folded)));
            prop_assert!(admits || !is_in, "{text} is in {network:?}, which {:?} hides", tests(&network));
        }
    }
}
