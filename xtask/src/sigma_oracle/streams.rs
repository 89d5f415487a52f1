//! Which streams a Windows event has, by `SigmaHQ`'s own map, and what its fields are called there.
//!
//! Made only for this comparison, and on purpose knows nothing of `rules/streams`: it reads `logsources-thor.yml`, adds
//! what that file lacks and `SigmaHQ` says elsewhere ([`SERVICES`], [`FIELDS_4688`]), and looks at flat events only.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use saphyr::{LoadableYamlNode as _, Yaml};
use serde::Serialize;
use serde_json::{Map as Fields, Value, json};

use super::rsigma::question;

/// What a source begins with when it is a channel of the Windows event log.
const CHANNEL: &str = "WinEventLog:";

/// Services that rules name and `logsources-thor.yml` does not have, with their channels. Specification 2.1.0, taxonomy,
/// "Windows Folder", "Service"; the last under the name that `logsources.json` and the rule give it.
const SERVICES: [(&str, &str); 5] = [
    ("dns-server", "DNS Server"),
    ("dns-server-analytic", "Microsoft-Windows-DNS-Server/Analytical"),
    ("driver-framework", "Microsoft-Windows-DriverFrameworks-UserMode/Operational"),
    ("microsoft-servicebus-client", "Microsoft-ServiceBus-Client/Admin"),
    ("microsoft-servicebus-client", "Microsoft-ServiceBus-Client/Operational"),
];

/// Fields of Security 4688 as process creation beyond those of `logsources-thor.yml`, Sigma's name first. `LogonId` is in the
/// specification ("Field Usage") and in `SigmaHQ`'s pipeline for Windows audit logs; `User` is what converters agree on.
const FIELDS_4688: [(&str, &str); 2] = [("LogonId", "SubjectLogonId"), ("User", "SubjectUserName")];

/// The map. As JSON it is handed to what routes by itself (`xtask/peers`).
#[derive(Serialize)]
pub(crate) struct Map {
    services: Vec<Service>,
    categories: Vec<Category>,
}

/// A service is a set of channels.
#[derive(Serialize)]
struct Service {
    name: String,
    channels: Vec<String>,
}

/// A category is a part of a service.
#[derive(Serialize)]
struct Category {
    name: String,
    service: String,
    /// Fields, each with the values of which it must have one.
    conditions: Vec<(String, Vec<String>)>,
    /// Sigma's name of a field, and the event's.
    fields: Vec<(String, String)>,
}

impl Map {
    /// Reads the map.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let documents = Yaml::load_from_str(text)?;
        let logsources = documents.first().and_then(|document| document.as_mapping_get("logsources")?.as_mapping());
        let logsources = logsources.context("no logsources")?;
        let added = SERVICES.map(|(name, channel)| Service { name: name.into(), channels: vec![channel.into()] });
        let mut map = Self { services: added.into(), categories: Vec::new() };
        for (_, logsource) in logsources {
            let text = |key| logsource.as_mapping_get(key).and_then(Yaml::as_str).map(str::to_owned);
            if let (Some(name), Some(rewrite)) = (text("category"), logsource.as_mapping_get("rewrite")) {
                let service = rewrite.as_mapping_get("service").and_then(Yaml::as_str).context("no service")?;
                let mut fields = pairs(logsource, "fieldmappings");
                if (name.as_str(), service) == ("process_creation", "security") {
                    fields.extend(FIELDS_4688.map(|(sigma, event)| (sigma.into(), vec![event.into()])));
                }
                let fields = fields.into_iter().filter_map(|(sigma, event)| Some((sigma, event.into_iter().next()?)));
                map.categories.push(Category {
                    name,
                    service: service.to_owned(),
                    conditions: pairs(logsource, "conditions"),
                    fields: fields.collect(),
                });
            } else if let Some(name) = text("service") {
                let sources = logsource.as_mapping_get("sources").map(scalars).unwrap_or_default();
                let channels = sources.iter().filter_map(|source| Some(source.strip_prefix(CHANNEL)?.to_owned()));
                map.services.push(Service { name, channels: channels.collect() });
            }
        }
        ensure!(!map.categories.is_empty(), "no category");
        Ok(map)
    }

    /// The questions to ask rsigma about events, one per line; an event is called by its line. An event without a channel has no
    /// stream and is not asked about.
    pub(super) fn questions(&self, events: &str) -> anyhow::Result<String> {
        let mut questions = Vec::new();
        for (n, line) in (1..).zip(events.lines()) {
            let event: Fields<String, Value> = serde_json::from_str(line).with_context(|| format!("event {n}"))?;
            let streams = self.streams(&event);
            if !streams.is_empty() {
                questions.push(question(n, line, ("streams", Value::from(streams))));
            }
        }
        Ok(questions.join("\n"))
    }

    /// Fields that put an event into the stream of a logsource, if it is one of Windows that this map knows.
    pub(super) fn header(&self, category: Option<&str>, service: Option<&str>) -> Option<Fields<String, Value>> {
        let category = match category {
            Some(name) => Some(self.categories.iter().find(|known| known.name == name)?),
            None => None,
        };
        let service = category.map(|category| category.service.as_str()).or(service)?;
        let service = self.services.iter().find(|known| known.name == service)?;
        let mut header = Fields::from_iter([("Channel".to_owned(), Value::from(service.channels.first()?.as_str()))]);
        for (field, values) in category.into_iter().flat_map(|category| &category.conditions) {
            let value = values.first()?;
            let value = value.parse::<i64>().map_or_else(|_| Value::from(value.as_str()), Value::from);
            header.insert(field.clone(), value);
        }
        Some(header)
    }

    /// The streams of an event: its channel, and every category that is part of it. The channel alone is left out where a
    /// category with the same fields stands for it: a rule that names fewer of product, category and service than a
    /// stream has is still one of that stream.
    fn streams(&self, event: &Fields<String, Value>) -> Vec<Value> {
        let Some(channel) = event.get("Channel").and_then(Value::as_str) else { return Vec::new() };
        let of_channel = |service: &&Service| service.channels.iter().any(|known| known.eq_ignore_ascii_case(channel));
        let services: Vec<&Service> = self.services.iter().filter(of_channel).collect();
        let mut streams = Vec::new();
        for service in &services {
            let mut is_covered = false;
            for category in self.categories.iter().filter(|category| category.service == service.name) {
                if !category.conditions.iter().all(|(field, values)| has(event, field, values)) {
                    continue;
                }
                let set = category.fields.iter();
                let set = set.filter_map(|(sigma, field)| Some((sigma.clone(), event.get(field)?.clone())));
                let set: Fields<String, Value> = set.collect();
                is_covered |= set.is_empty();
                let (category, service) = (&category.name, &service.name);
                streams.push(json!({"product": "windows", "category": category, "service": service, "set": set}));
            }
            if !is_covered {
                streams.push(json!({"product": "windows", "service": service.name}));
            }
        }
        if services.is_empty() {
            streams.push(json!({"product": "windows"}));
        }
        streams
    }
}

/// Whether a field has one of the values.
fn has(event: &Fields<String, Value>, field: &str, values: &[String]) -> bool {
    let found = match event.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return false,
    };
    values.contains(&found)
}

/// The entries of a map of scalars, or of lists of them.
fn pairs(logsource: &Yaml<'_>, key: &str) -> Vec<(String, Vec<String>)> {
    let entries = logsource.as_mapping_get(key).and_then(Yaml::as_mapping);
    let entries = entries.into_iter().flatten();
    entries.filter_map(|(name, values)| Some((name.as_str()?.to_owned(), scalars(values)))).collect()
}

/// A scalar or a list of them, as texts.
fn scalars(value: &Yaml<'_>) -> Vec<String> {
    let text = |value: &Yaml<'_>| {
        value.as_str().map(str::to_owned).or_else(|| value.as_integer().map(|number| number.to_string()))
    };
    match value.as_sequence() {
        Some(values) => values.iter().filter_map(text).collect(),
        None => text(value).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"
logsources:
  registry_event: {category: registry_event, conditions: {EventID: 12}, rewrite: {service: sysmon}}
  registry_add: {category: registry_add, conditions: {EventID: 12, EventType: CreateKey}, rewrite: {service: sysmon}}
  started:
    category: process_creation
    conditions: {EventID: 4688}
    rewrite: {service: security}
    fieldmappings: {Image: NewProcessName}
  av: {category: antivirus, conditions: {EventID: [1006, 1007]}, rewrite: {service: windefend}}
  sysmon: {service: sysmon, sources: ["WinEventLog:Microsoft-Windows-Sysmon/Operational"]}
  security: {service: security, sources: ["WinEventLog:Security"]}
  windefend: {service: windefend, sources: ["WinEventLog:Defender"]}
  syslog: {service: syslog, sources: ["File:/var/log/syslog"]}
"#;

    #[test]
    fn an_event_has_the_streams_that_sigmahq_gives_it() -> anyhow::Result<()> {
        let map = Map::parse(MAP)?;
        for (event, streams) in [
            (
                json!({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 12, "EventType": "CreateKey"}),
                &["registry_event sysmon {}", "registry_add sysmon {}"][..],
            ),
            (
                json!({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": "12", "EventType": "DeleteKey"}),
                &["registry_event sysmon {}"],
            ),
            (json!({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 3}), &["- sysmon null"]),
            (
                json!({"Channel": "security", "EventID": 4688, "NewProcessName": "a", "SubjectUserName": "b"}),
                &[r#"process_creation security {"Image":"a","User":"b"}"#, "- security null"],
            ),
            (json!({"Channel": "Defender", "EventID": 1007}), &["antivirus windefend {}"]),
            (json!({"Channel": "DNS Server"}), &["- dns-server null"]),
            (json!({"Channel": "Unheard of", "EventID": 12}), &["- - null"]),
            (json!({"EventID": 12}), &[]),
        ] {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let shown = |stream: &Value| {
                assert_eq!(stream["product"], "windows");
                format!("{} {} {}", text(&stream["category"]), text(&stream["service"]), stream["set"])
            };
            let found = map.streams(event.as_object().context("an object")?);
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), streams, "{event}");
        }
        Ok(())
    }

    #[test]
    fn a_header_puts_an_event_into_the_stream() -> anyhow::Result<()> {
        let map = Map::parse(MAP)?;
        for (category, service, header) in [
            (
                Some("registry_add"),
                None,
                json!({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 12, "EventType": "CreateKey"}),
            ),
            (None, Some("security"), json!({"Channel": "Security"})),
            (Some("webserver"), None, Value::Null),
            (None, Some("syslog"), Value::Null),
            (None, None, Value::Null),
        ] {
            assert_eq!(map.header(category, service).map_or(Value::Null, Value::from), header);
        }
        Ok(())
    }

    #[test]
    fn events_are_asked_about_by_their_line() -> anyhow::Result<()> {
        let questions = Map::parse(MAP)?.questions("{}\n{\"Channel\":\"x\", \"b\":1.50}\n")?;
        assert_eq!(questions, r#"{"n":2,"streams":[{"product":"windows"}],"fields":{"Channel":"x", "b":1.50}}"#);
        Ok(())
    }
}
