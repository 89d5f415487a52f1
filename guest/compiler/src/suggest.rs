//! "Did you mean": the known name that is most like an unknown one.
//!
//! A suggestion is advice in a message, never a resolution: names that are case-sensitive stay so.

/// Longer names are not compared: the comparison is quadratic and the text comes from a rule.
const NAME_CHARS_MAX: usize = 80;
/// A name this short is too likely to be found in a long one by accident.
const CONTAINED_CHARS_MIN: usize = 4;

/// The candidate most like `name`, if one is like it at all: the same but for case, then few typing mistakes away,
/// then one that ends with it (`AccountUpn` for `InitiatingProcessAccountUpn`).
pub(crate) fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if let Some(found) = candidates.clone().find(|candidate| candidate.eq_ignore_ascii_case(name)) {
        return Some(found);
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return None;
    }
    let mistakes_max = (name.chars().count() / 4).max(1);
    let near = candidates
        .clone()
        .filter(|candidate| candidate.chars().count() <= NAME_CHARS_MAX)
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(mistakes, _)| *mistakes <= mistakes_max)
        .min_by_key(|(mistakes, _)| *mistakes);
    if let Some((_, found)) = near {
        return Some(found);
    }
    let lower = name.to_lowercase();
    candidates
        .filter(|candidate| lower.chars().count() >= CONTAINED_CHARS_MIN && candidate.to_lowercase().ends_with(&lower))
        .min_by_key(|candidate| candidate.len())
}

/// The Levenshtein distance of two texts, in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut previous = i.saturating_add(1);
        next.push(previous);
        for (b, pair) in right.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let replaced = diagonal.saturating_add(usize::from(a != *b));
            previous = replaced.min(above.saturating_add(1)).min(previous.saturating_add(1));
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant() {
        let columns = ["Timestamp", "SHA1", "RemoteUrl", "RemoteIP", "InitiatingProcessAccountUpn", "DeviceName"];
        for (name, expected) in [
            ("Sha1", Some("SHA1")),
            ("RemoteURL", Some("RemoteUrl")),
            ("RemotUrl", Some("RemoteUrl")),
            ("DeviceNmae", Some("DeviceName")),
            ("AccountUpn", Some("InitiatingProcessAccountUpn")),
            ("Upn", None),
            ("Signer", None),
            ("", None),
        ] {
            assert_eq!(closest(name, columns.into_iter()), expected, "{name}");
        }
    }
}
