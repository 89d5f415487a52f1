//! The part of a URL or host name that its owner chose: its longest label left of the public suffix.
//!
//! The whole Public Suffix List would be twenty times the size of the detection; the rule here is the common shape
//! (`name.tld`, `name.co.tld`), which is wrong only about which of two chosen labels is the registered one.

/// Second-level labels under which country registries give out names (`example.co.uk`).
const SECOND_LEVELS: &[&str] = &["ac", "co", "com", "edu", "gov", "go", "ltd", "ne", "net", "or", "org"];

/// Providers whose customers have generated host names: their names say nothing.
const DELIVERY_NETWORKS: &[&str] = &[
    "akamai.net",
    "akamaiedge.net",
    "akamaihd.net",
    "akamaized.net",
    "amazonaws.com",
    "azure.com",
    "azureedge.net",
    "azurefd.net",
    "cloudapp.net",
    "cloudflare.net",
    "cloudfront.net",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fbcdn.net",
    "googleusercontent.com",
    "googlevideo.com",
    "gvt1.com",
    "llnwd.net",
    "msedge.net",
    "msftconnecttest.com",
    "sharepointonline.com",
    "trafficmanager.net",
    "windows.net",
    "windowsupdate.com",
];

/// A host name, cut at the label that is looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Domain {
    host: String,
    label_start: usize,
    label_end: usize,
}

impl Domain {
    /// The domain of a URL or of a bare host name. `None` for an address, and for a name without a chosen label.
    pub fn of_url(url: &str) -> Option<Self> {
        let host = host_of(url)?.to_ascii_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        if labels.iter().any(|label| label.is_empty()) || labels.last()?.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let chosen = labels.get(..labels.len().checked_sub(suffix_labels(&labels))?)?;
        // The rightmost of the longest: `max_by_key` gives the last of equals.
        let (at, label) = chosen.iter().enumerate().max_by_key(|(_, label)| label.len())?;
        let label_start = chosen.get(..at)?.iter().map(|label| label.len() + 1).sum();
        let label_end = label_start + label.len();
        Some(Self { host, label_start, label_end })
    }

    /// The label that is looked at.
    pub fn label(&self) -> &str {
        self.host.get(self.label_start..self.label_end).unwrap_or_default()
    }

    /// The label and what stands right of it.
    pub fn name(&self) -> &str {
        self.host.get(self.label_start..).unwrap_or_default()
    }

    /// Whether a delivery network gave the name.
    pub fn is_of_delivery_network(&self) -> bool {
        DELIVERY_NETWORKS
            .iter()
            .any(|network| self.host.strip_suffix(network).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

/// The host of `scheme://user@host:port/path`, each other part optional. `None` for an address in brackets.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.starts_with('[')).then(|| host.strip_suffix('.').unwrap_or(host))
}

/// How many labels at the end the owner did not choose.
fn suffix_labels(labels: &[&str]) -> usize {
    match labels {
        [_, .., second, country] if country.len() == 2 && SECOND_LEVELS.contains(second) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_the_longest_chosen_label() {
        for (url, label, name) in [
            ("example.com", "example", "example.com"),
            ("HTTPS://user:secret@A.Example.COM:8443/x?y#z", "example", "example.com"),
            ("example.co.uk.", "example", "example.co.uk"),
            ("a.longer-than-that.example.com", "longer-than-that", "longer-than-that.example.com"),
            ("aaa.bbb.com", "bbb", "bbb.com"),
            ("co.uk", "co", "co.uk"),
        ] {
            let domain = Domain::of_url(url).unwrap_or_else(|| panic!("{url} has a domain"));
            assert_eq!((domain.label(), domain.name()), (label, name), "{url}");
        }
    }

    #[test]
    fn addresses_and_bare_names_have_none() {
        for url in ["", "localhost", "10.0.0.1", "http://10.0.0.1:80/", "[::1]:443", "..", ".com", "a..com", "://", "@"]
        {
            assert_eq!(Domain::of_url(url), None, "{url}");
        }
    }

    #[test]
    fn a_delivery_network_is_a_whole_suffix() {
        for (url, is) in [("x.cloudfront.net", true), ("cloudfront.net", true), ("notcloudfront.net", false)] {
            assert_eq!(Domain::of_url(url).map(|domain| domain.is_of_delivery_network()), Some(is), "{url}");
        }
    }
}
