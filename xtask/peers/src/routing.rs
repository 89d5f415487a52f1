//! Which streams an event has: `SigmaHQ`'s map as `cargo xtask peers` hands it over, made fast enough not to be noticed.
//!
//! The same map as that of `cargo xtask sigma-oracle` (`xtask/src/sigma_oracle/streams.rs`), which says what it means. An
//! event's channel and the categories whose conditions it meets make its [`Route`]; each is worked out once.

use std::{collections::HashMap, fs, path::Path, rc::Rc};

use anyhow::{Context as _, ensure};
use rsigma_parser::LogSource;
use serde::Deserialize;
use serde_json::Value;

/// How many categories of a service fit into a set.
const CATEGORIES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    services: Vec<Service>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    name: String,
    channels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    name: String,
    service: String,
    conditions: Vec<(String, Vec<String>)>,
    fields: Vec<(String, String)>,
}

/// A stream that an event belongs to.
pub struct Stream {
    /// Its product, category and service.
    pub logsource: LogSource,
    /// Sigma's name of a field, and the event's: what the event has under other names in this stream.
    pub fields: Rc<[(String, String)]>,
}

/// Where events of a kind go.
pub struct Route {
    /// A number of its own, from 0 without gaps.
    pub place: usize,
    /// The streams; of those without other names the event is the same.
    pub streams: Vec<Stream>,
}

/// Finds routes.
pub struct Router {
    map: Map,
    /// By channel, as events spell it.
    channels: HashMap<String, Rc<Channel>>,
    routes: HashMap<RouteKey, Rc<Route>>,
}

/// A channel, and for each category of its services whether the event meets its conditions and has some of its fields.
type RouteKey = (usize, u64, u64);

struct Channel {
    place: usize,
    services: Vec<ChannelService>,
    /// Fields that conditions ask for.
    asked: Vec<String>,
    categories: Vec<ChannelCategory>,
}

struct ChannelService {
    name: String,
    categories: std::ops::Range<usize>,
}

struct ChannelCategory {
    name: String,
    /// The place of the field in `asked`, and the values, as texts and as numbers.
    conditions: Vec<(usize, Vec<(String, Option<i64>)>)>,
    fields: Rc<[(String, String)]>,
}

impl Router {
    /// Reads the map.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let map = serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))?;
        Ok(Self { map, channels: HashMap::new(), routes: HashMap::new() })
    }

    /// The route of an event; `None` if it has no channel.
    pub fn route(&mut self, event: &Value) -> anyhow::Result<Option<Rc<Route>>> {
        let Some(name) = event.get("Channel").and_then(Value::as_str) else { return Ok(None) };
        let channel = match self.channels.get(name) {
            Some(channel) => Rc::clone(channel),
            None => self.channel(name)?,
        };
        let asked: Vec<Option<&Value>> = channel.asked.iter().map(|field| event.get(field)).collect();
        let (mut met, mut mapped) = (0_u64, 0_u64);
        for (at, category) in channel.categories.iter().enumerate() {
            if category.conditions.iter().all(|(field, values)| has(asked[*field], values)) {
                met |= 1 << at;
                if category.fields.iter().any(|(_, field)| event.get(field).is_some()) {
                    mapped |= 1 << at;
                }
            }
        }
        let key = (channel.place, met, mapped);
        if let Some(route) = self.routes.get(&key) {
            return Ok(Some(Rc::clone(route)));
        }
        let route = Rc::new(Route { place: self.routes.len(), streams: channel.streams(met, mapped) });
        self.routes.insert(key, Rc::clone(&route));
        Ok(Some(route))
    }

    fn channel(&mut self, name: &str) -> anyhow::Result<Rc<Channel>> {
        let mut channel =
            Channel { place: self.channels.len(), services: Vec::new(), asked: Vec::new(), categories: Vec::new() };
        let of_channel = |service: &&Service| service.channels.iter().any(|known| known.eq_ignore_ascii_case(name));
        for service in self.map.services.iter().filter(of_channel) {
            let first = channel.categories.len();
            for category in self.map.categories.iter().filter(|category| category.service == service.name) {
                let conditions = category.conditions.iter();
                let conditions = conditions.map(|(field, values)| {
                    let place = channel.asked.iter().position(|asked| asked == field).unwrap_or_else(|| {
                        channel.asked.push(field.clone());
                        channel.asked.len() - 1
                    });
                    (place, values.iter().map(|value| (value.clone(), value.parse().ok())).collect())
                });
                let conditions = conditions.collect();
                let fields = category.fields.clone().into();
                channel.categories.push(ChannelCategory { name: category.name.clone(), conditions, fields });
            }
            let categories = first..channel.categories.len();
            channel.services.push(ChannelService { name: service.name.clone(), categories });
        }
        ensure!(channel.categories.len() <= CATEGORIES_MAX, "{name} has more than {CATEGORIES_MAX} categories");
        let channel = Rc::new(channel);
        self.channels.insert(name.to_owned(), Rc::clone(&channel));
        Ok(channel)
    }
}

impl Channel {
    /// The channel alone is left out where a category stands for it in which fields have the same names.
    fn streams(&self, met: u64, mapped: u64) -> Vec<Stream> {
        let stream = |category: Option<&str>, service: Option<&str>, fields: &Rc<[(String, String)]>| Stream {
            logsource: LogSource {
                product: Some("windows".to_owned()),
                category: category.map(str::to_owned),
                service: service.map(str::to_owned),
                ..LogSource::default()
            },
            fields: Rc::clone(fields),
        };
        let none: Rc<[(String, String)]> = Rc::from([]);
        let mut streams = Vec::new();
        for service in &self.services {
            let mut is_covered = false;
            for at in service.categories.clone().filter(|at| met & (1 << at) != 0) {
                let category = &self.categories[at];
                let is_mapped = mapped & (1 << at) != 0;
                is_covered |= !is_mapped;
                let fields = if is_mapped { &category.fields } else { &none };
                streams.push(stream(Some(&category.name), Some(&service.name), fields));
            }
            if !is_covered {
                streams.push(stream(None, Some(&service.name), &none));
            }
        }
        if self.services.is_empty() {
            streams.push(stream(None, None, &none));
        }
        streams
    }
}

/// Whether a field has one of the values.
fn has(found: Option<&Value>, values: &[(String, Option<i64>)]) -> bool {
    match found {
        Some(Value::String(text)) => values.iter().any(|(value, _)| value == text),
        Some(Value::Number(number)) => {
            let number = number.as_i64();
            number.is_some() && values.iter().any(|(_, value)| *value == number)
        }
        _ => false,
    }
}
