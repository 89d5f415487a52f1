//! MITRE ATT&CK names as Sentinel writes them.

/// A tactic's name as ATT&CK writes it: `CommandAndControl` is `Command and Control`.
pub(crate) fn tactic(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let starts_word = c.is_uppercase() && !before.is_uppercase() || before.is_whitespace();
        before = c;
        if c.is_whitespace() {
            continue;
        }
        match words.last_mut().filter(|_| !starts_word) {
            Some(word) => word.push(c),
            None => words.push(c.into()),
        }
    }
    for word in &mut words {
        if matches!(word.as_str(), "And" | "Of") {
            word.make_ascii_lowercase();
        }
    }
    words.join(" ")
}

/// Whether it is the id of a technique or subtechnique: `T1219`, `T1219.003`.
pub(crate) fn is_technique(id: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let (technique, subtechnique) = id.split_once('.').map_or((id, None), |(id, sub)| (id, Some(sub)));
    technique.strip_prefix('T').is_some_and(|number| digits(number, 4)) && subtechnique.is_none_or(|sub| digits(sub, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tactics_are_words() {
        for (sentinel, attack) in [
            ("CommandAndControl", "Command and Control"),
            ("Command and Control", "Command and Control"),
            ("LateralMovement", "Lateral Movement"),
            ("Impact", "Impact"),
            ("InhibitResponseFunction", "Inhibit Response Function"),
            ("PreAttack", "Pre Attack"),
            ("", ""),
        ] {
            assert_eq!(tactic(sentinel), attack);
        }
    }

    #[test]
    fn techniques_have_four_digits() {
        for id in ["T1219", "T1219.003"] {
            assert!(is_technique(id), "{id}");
        }
        for id in ["", "T", "T121", "T12190", "T1219.", "T1219.03", "t1219", "TA0011", "T1219.0033", "T121９"] {
            assert!(!is_technique(id), "{id}");
        }
    }
}
