//! Sigma logsources as names of streams.
//!
//! A rule says of which product, category and service its events are
//! (<https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-rules-specification.md>, "Log source"); any
//! of them may be left open. As a stream's name a logsource is `product/category/service` with `*` for what is open:
//! `windows/process_creation/*`. No table has a slash in its name, so the two kinds of streams are told apart by it.

use std::fmt;

/// What stands for a part that is left open.
const OPEN: &str = "*";

/// Which kind of log an event is of, or a rule wants. The parts are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Logsource {
    /// `windows`, `linux`, `aws`, ...
    pub product: Option<String>,
    /// `process_creation`, `proxy`, ...
    pub category: Option<String>,
    /// `sysmon`, `cloudtrail`, ...
    pub service: Option<String>,
}

impl Logsource {
    /// A logsource of parts in any case.
    pub fn new(product: Option<&str>, category: Option<&str>, service: Option<&str>) -> Self {
        let part = |part: Option<&str>| part.map(str::to_lowercase);
        Self { product: part(product), category: part(category), service: part(service) }
    }

    /// The logsource that a stream's name means; `None` for the name of a table.
    pub fn parse(stream: &str) -> Option<Self> {
        let (product, rest) = stream.split_once('/')?;
        let (category, service) = rest.split_once('/')?;
        let part = |part: &str| (part != OPEN).then(|| part.to_owned());
        Some(Self { product: part(product), category: part(category), service: part(service) })
    }

    /// Whether an event of logsource `event` is one that this logsource wants: each part is open here or the same there.
    pub fn wants(&self, event: &Self) -> bool {
        let same = |wanted: &Option<String>, given: &Option<String>| wanted.is_none() || wanted == given;
        same(&self.product, &event.product)
            && same(&self.category, &event.category)
            && same(&self.service, &event.service)
    }
}

impl fmt::Display for Logsource {
    /// The name of the stream.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| OPEN.to_owned());
        write!(f, "{}/{}/{}", part(&self.product), part(&self.category), part(&self.service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_logsource_are_the_same() {
        for name in ["windows/process_creation/*", "*/*/*", "aws/*/cloudtrail", "*/proxy/*"] {
            assert_eq!(Logsource::parse(name).map(|parsed| parsed.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Logsource::parse("DeviceNetworkEvents"), None);
        assert_eq!(Logsource::new(Some("Windows"), None, Some("Sysmon")).to_string(), "windows/*/sysmon");
    }

    #[test]
    fn what_is_open_takes_every_event() {
        let event = Logsource::new(Some("windows"), Some("process_creation"), Some("sysmon"));
        for (wanted, wants) in [
            ("windows/process_creation/*", true),
            ("*/process_creation/*", true),
            ("windows/*/sysmon", true),
            ("*/*/*", true),
            ("linux/process_creation/*", false),
            ("windows/*/security", false),
            ("windows/process_creation/security", false),
        ] {
            assert_eq!(Logsource::parse(wanted).is_some_and(|wanted| wanted.wants(&event)), wants, "{wanted}");
        }
        let open = Logsource::new(Some("windows"), None, None);
        assert!(!Logsource::new(None, Some("process_creation"), None).wants(&open), "the event must say it");
    }
}
