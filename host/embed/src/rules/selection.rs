//! Which rules of those that are there take part in a run.

use std::collections::HashSet;

use sandtrap_wit::manifest::{Level, Manifest, Status};

/// Wishes that a rule must all meet. Without wishes every rule takes part.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The least level; a rule that states none does not reach any.
    pub level: Option<Level>,
    /// The statuses, of which a rule must have one; empty: any, or none.
    pub statuses: Vec<Status>,
    /// Tags, of which a rule must have one; empty: any, or none. See [`Selection::takes`].
    pub tags: Vec<String>,
    /// Rules that do not take part, by `id` or `namespace/id`. The case of UUIDs does not matter.
    pub excluded_ids: HashSet<String>,
}

impl Selection {
    /// Whether a rule takes part.
    ///
    /// A tag stands for itself and for all that are below it: `attack.t1219` takes `attack.t1219.003`, `attack` all of
    /// ATT&CK. Case, and whether words are joined by `-` or `_`, does not matter. ATT&CK tactics and techniques are tags
    /// as Sigma writes them.
    pub fn takes(&self, manifest: &Manifest) -> bool {
        self.level.is_none_or(|least| manifest.level.is_some_and(|level| level >= least))
            && (self.statuses.is_empty() || manifest.status.is_some_and(|status| self.statuses.contains(&status)))
            && (self.tags.is_empty() || self.has_tag(manifest))
            && !self.excluded_ids.iter().any(|excluded| is_id_of(excluded, manifest))
    }

    fn has_tag(&self, manifest: &Manifest) -> bool {
        let attack = manifest.attack.tactics.iter().chain(&manifest.attack.techniques);
        let attack = attack.map(|name| normal(&format!("attack.{name}")));
        let tags: Vec<String> = manifest.tags.iter().map(|tag| normal(tag)).chain(attack).collect();
        self.tags.iter().map(|tag| normal(tag)).any(|wanted| {
            let below =
                |tag: &String| tag.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            tags.iter().any(below)
        })
    }
}

/// Whether `wanted` is the rule's `id` or `namespace/id`.
fn is_id_of(wanted: &str, manifest: &Manifest) -> bool {
    let within = wanted.strip_prefix(&manifest.namespace).and_then(|rest| rest.strip_prefix('/'));
    [Some(wanted), within].into_iter().flatten().any(|wanted| {
        // Programs that show UUIDs in upper case are many (RFC 9562, section 4: input is read in either case).
        wanted == manifest.id || is_uuid(wanted) && wanted.eq_ignore_ascii_case(&manifest.id)
    })
}

/// Whether a text is a UUID as RFC 9562 writes it: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').all(digits) && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn normal(tag: &str) -> String {
    tag.to_lowercase().replace(['_', ' '], "-")
}

#[cfg(test)]
mod tests {
    use sandtrap_wit::{
        manifest::{Attack, Limits, SCHEMA},
        plan::Plan,
    };

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            schema: SCHEMA,
            namespace: "sigma".into(),
            id: "one".into(),
            version: None,
            title: "One".into(),
            description: String::new(),
            level: Some(Level::Medium),
            confidence: None,
            status: Some(Status::Test),
            authors: Vec::new(),
            references: Vec::new(),
            false_positives: Vec::new(),
            tags: vec!["detection.emerging_threats".into()],
            attack: Attack { tactics: vec!["Command and Control".into()], techniques: vec!["T1219.003".into()] },
            data_sources: Vec::new(),
            licence: None,
            source: None,
            requires: Vec::new(),
            plan: Plan { nodes: Vec::new() },
            limits: Limits::default(),
        }
    }

    #[test]
    fn every_wish_must_be_met() {
        let tag = |tag: &str| Selection { tags: vec!["no.such".into(), tag.into()], ..Selection::default() };
        let level = |level| Selection { level: Some(level), ..Selection::default() };
        let status = |status| Selection { statuses: vec![Status::Stable, status], ..Selection::default() };
        let without = |id: &str| Selection { excluded_ids: [id.to_owned()].into(), ..Selection::default() };
        for (selection, takes) in [
            (Selection::default(), true),
            (level(Level::Medium), true),
            (level(Level::High), false),
            (status(Status::Test), true),
            (status(Status::Experimental), false),
            (tag("attack.t1219"), true),
            (tag("attack.T1219.003"), true),
            (tag("attack.t121"), false),
            (tag("attack"), true),
            (tag("attack.command-and-control"), true),
            (tag("detection.emerging-threats"), true),
            (tag("detection.emerging"), false),
            (without("one"), false),
            (without("sigma/one"), false),
            (without("two"), true),
            (Selection { level: Some(Level::High), ..tag("attack") }, false),
        ] {
            assert_eq!(selection.takes(&manifest()), takes, "{selection:?}");
        }
        let uuid = "0f06a3a5-6a09-413f-8743-e6cf35561297";
        let rule = Manifest { id: uuid.into(), ..manifest() };
        for (id, takes) in [
            (uuid.to_owned(), false),
            (uuid.to_uppercase(), false),
            (format!("sigma/{}", uuid.to_uppercase()), false),
            (format!("kql/{uuid}"), true),
            (uuid.replace('0', "1"), true),
        ] {
            assert_eq!(without(&id).takes(&rule), takes, "{id}");
        }
        assert!(without("ONE").takes(&manifest()), "an id that is no UUID is as it is written");
        let bare = Manifest { level: None, status: None, ..manifest() };
        assert!(!level(Level::Informational).takes(&bare) && !status(Status::Test).takes(&bare));
    }
}
