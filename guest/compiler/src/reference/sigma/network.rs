//! Networks of IP addresses (appendix "Modifiers", "IP").

use std::net::IpAddr;

/// A network: leading bits of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network(Vec<bool>, IsV6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct IsV6(bool);

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`; an address alone is the network of it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let mut bits = bits(address);
        if let Some(prefix) = prefix {
            let decimal = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
            let prefix = prefix.parse().ok().filter(|prefix| decimal && *prefix <= bits.len())?;
            // Bits behind the prefix would be of a host in the network: the rule says neither clearly.
            if bits.get(prefix..)?.iter().any(|bit| *bit) {
                return None;
            }
            bits.truncate(prefix);
        }
        Some(Self(bits, IsV6(address.is_ipv6())))
    }

    /// Whether the text is an address in the network. An IPv4 address written as IPv6 is the IPv4 address.
    pub(super) fn contains(&self, text: &str) -> bool {
        text.parse::<IpAddr>().is_ok_and(|address| {
            let address = address.to_canonical();
            self.1 == IsV6(address.is_ipv6()) && bits(address).starts_with(&self.0)
        })
    }
}

fn bits(address: IpAddr) -> Vec<bool> {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    bytes.into_iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_networks() {
        for (network, text, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/9", "10.128.0.0", false),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("192.168.0.1", "192.168.0.1", true),
            ("2001:db8::/32", "2001:DB8:0::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "1.2.3.4", false),
            ("10.0.0.0/8", "10.0.0.1 ", false),
            ("10.0.0.0/8", "10.0.0.1:80", false),
        ] {
            assert_eq!(Network::parse(network).expect(network).contains(text), expected, "{text} in {network}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.1/8", "10.0.0/8", "::/129"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
