//! Domain names that look generated: a detection that KQL cannot say, for want of a function over the characters of a
//! text.
//!
//! Malware that finds its server through generated names asks for many that nobody would choose. This looks at the
//! longest label that the name's owner chose ([`domain`]) and at how its characters are spread ([`shape`]). Names of
//! delivery networks, which are generated too, are left out. It does not know dictionaries: a generator that strings
//! words together goes unseen.

pub mod domain;
pub mod shape;

use sandtrap_sdk::{
    Column, Confidence, Datetime, Detection, Field, Level, Manifest, ManifestBuilder, Row, Status, export,
};

use domain::Domain;
use shape::Shape;

const REMOTE_URL: Column<String> = Column::new("RemoteUrl");

/// The detection.
#[derive(Debug)]
pub struct DgaEntropy;

export!(DgaEntropy);

impl Detection for DgaEntropy {
    const STREAM: &'static str = "DeviceNetworkEvents";
    const READS: &'static [Field] = &[REMOTE_URL.field()];
    type Found = (String, f64);
    const COMPUTED: [&'static str; 2] = ["Domain", "Entropy"];

    fn manifest() -> Manifest {
        ManifestBuilder::new("sandtrap", "dga-entropy", "Connection to a domain whose name looks generated")
            .version("1.0.0")
            .description(
                "A name with a long label of evenly spread characters that cannot be pronounced, or in which letters \
                 and digits alternate. Domain is that label with what stands right of it, Entropy the label's Shannon \
                 entropy in bits per character.",
            )
            .level(Level::Low)
            .confidence(Confidence::Low)
            .status(Status::Experimental)
            .author("The Sandtrap authors")
            .reference("https://attack.mitre.org/techniques/T1568/002/")
            .false_positive(
                "Delivery networks and telemetry hosts with generated names: add theirs to the list in domain.rs",
            )
            .false_positive("Names abbreviated from words without vowels, and romanised names of some languages")
            .tactic("Command and Control")
            .technique("T1568.002")
            .data_source("Network connections or DNS queries with the remote host's name")
            .licence("Apache-2.0 OR MIT")
            .keep::<Datetime>("Timestamp")
            .keep::<String>("DeviceName")
            .keep::<String>("RemoteUrl")
            .only_where_any([REMOTE_URL.exists::<Self>()])
            .finish::<Self>()
    }

    fn find(row: &Row<'_>) -> Option<Self::Found> {
        let domain = Domain::of_url(row.text(&REMOTE_URL))?;
        if domain.is_of_delivery_network() {
            return None;
        }
        let shape = Shape::of(domain.label())?;
        shape.looks_generated().then(|| (domain.name().to_owned(), shape.entropy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandtrap_sdk::testing::{Sample, check};

    #[test]
    fn a_host_would_accept_the_manifest() {
        assert_eq!(check::<DgaEntropy>(), Ok(()));
    }

    #[test]
    fn finds_what_nobody_would_choose() {
        let url = |url: &str| {
            let found = Sample::new().with(&REMOTE_URL, url).find::<DgaEntropy>();
            found.expect("the row fits").map(|(domain, _)| domain)
        };
        for (generated, domain) in [
            ("xjw3kq9vbz7t.com", "xjw3kq9vbz7t.com"),
            ("https://QXKZVWPJTHRM.info:8443/gate.php?id=1", "qxkzvwpjthrm.info"),
            ("http://cdn.a9f3e7c1b5d2.co.uk/", "a9f3e7c1b5d2.co.uk"),
            ("kqvzxwjrtplm.duckdns.org", "kqvzxwjrtplm.duckdns.org"),
        ] {
            assert_eq!(url(generated).as_deref(), Some(domain), "{generated}");
        }
        for chosen in [
            "",
            "localhost",
            "10.20.30.40",
            "https://[2001:db8::1]/",
            "www.server-eye.de",
            "login.microsoftonline.com",
            "lh3.googleusercontent.com",
            "d111111abcdef8.cloudfront.net",
            "knightsbridge.co.uk",
            "www.knightsbridge-estates.co.uk",
            "internationalisation.example.org",
            "www.msftconnecttest.com",
            "xn--krmer-hra4c.example",
            "2024-11-20.example.org",
        ] {
            assert_eq!(url(chosen), None, "{chosen}");
        }
        assert_eq!(Sample::new().find::<DgaEntropy>(), Ok(None), "no RemoteUrl at all");
    }

    #[test]
    fn reports_bits_per_character() {
        let found = Sample::new().with(&REMOTE_URL, "0a1b2c3d4e5f6g7h.net").find::<DgaEntropy>();
        assert_eq!(found, Ok(Some(("0a1b2c3d4e5f6g7h.net".into(), 4.0))), "sixteen characters, all different");
    }
}
