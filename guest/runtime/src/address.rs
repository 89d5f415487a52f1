//! Networks of IP addresses.
//!
//! A table has 18 bytes for each network: the family (4 or 6), how many leading bits are the network's, and 16 bytes of
//! address, the most significant first. An IPv4 address stands in the last four, after ten zeros and two 0xff, which is how
//! IPv6 writes it (RFC 4291, section 2.5.5.2); its leading bits are counted from there.

use core::net::IpAddr;

/// Bytes of a network in a table.
pub const NETWORK_BYTES: usize = 18;
/// No address is longer as text.
const TEXT_BYTES_MAX: usize = 45;
/// Where an IPv4 address starts in an IPv6 address.
const MAPPED_BITS: u32 = 96;

/// Whether `text` is an IP address in one of the networks. An IPv4 address written as IPv6 is the IPv4 address; a port or
/// a zone makes it no address.
pub fn in_networks(table: &[u8], text: &[u8]) -> bool {
    if text.len() > TEXT_BYTES_MAX || !text.is_ascii() {
        return false;
    }
    let Some(address) = core::str::from_utf8(text).ok().and_then(|text| text.parse::<IpAddr>().ok()) else {
        return false;
    };
    let (family, bits) = match address.to_canonical() {
        IpAddr::V4(address) => (4, address.to_ipv6_mapped().to_bits()),
        IpAddr::V6(address) => (6, address.to_bits()),
    };
    let (networks, _) = table.as_chunks::<NETWORK_BYTES>();
    networks.iter().any(|[of_family, prefix, network @ ..]| {
        let prefix = u32::from(*prefix) + if *of_family == 4 { MAPPED_BITS } else { 0 };
        let host = u128::BITS.saturating_sub(prefix);
        *of_family == family && (bits ^ u128::from_be_bytes(*network)).checked_shr(host).unwrap_or(0) == 0
    })
}
