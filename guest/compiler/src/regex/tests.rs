//! Expressions against the `regex` crate, and what is refused.

use proptest::prelude::*;
use sandtrap_runtime::regex::{is_match, scratch_words};

use super::*;
use crate::{
    ir::MatchKind,
    sigma::{
        self,
        ast::{Document, Modifier, Search, ValueData},
    },
};

fn flags(text: &str) -> Flags {
    Flags { insensitive: text.contains('i'), multi_line: text.contains('m'), single_line: text.contains('s') }
}

/// What the tables say, all of the same.
fn found(regex: &Regex, text: &str) -> bool {
    let is_match = |table: &[u32]| is_match(table, text.as_bytes(), &mut vec![7; scratch_words(table)]);
    let (table, deterministic) = automaton::tables(&regex.hir).expect("it was built before");
    let found = is_match(&table);
    assert!(deterministic.is_none_or(|table| is_match(&table) == found), "{} on {text:?}", regex.pattern);
    found
}

#[test]
fn expressions_mean_what_pcre_means() {
    for (pattern, set, text, expected) in [
        ("a.c", "", "xabcx", true),
        ("a.c", "", "xabCx", false),
        ("a.c", "i", "xABCx", true),
        ("a.c", "", "a\nc", false),
        ("a.c", "s", "a\nc", true),
        ("a.c", "", "aéc", true),
        ("a..c", "", "aéc", false),
        ("", "", "", true),
        ("^$", "", "", true),
        ("^$", "", "a", false),
        ("^b", "", "a\nb", false),
        ("^b", "m", "a\nb", true),
        ("a$", "", "a\n", false),
        ("a$", "m", "a\nb", true),
        (r"a\z", "m", "a\nb", false),
        (r"\Ab", "m", "a\nb", false),
        ("(?i)straße", "", "STRASSE", false),
        ("(?i)k", "", "\u{212A}", true),
        ("a(?i)b|c", "", "C", true),
        ("a(?i:b)c", "", "aBc", true),
        ("a(?i:b)c", "", "aBC", false),
        (r"\d", "", "\u{663}", false),
        (r"[\d]", "", "3", true),
        (r"[^\d]", "", "3", false),
        (r"^\D$", "", "é", true),
        (r"^\w$", "i", "\u{212A}", false),
        (r"^[\W]$", "i", "k", false),
        (r"^[\w-]$", "i", "\u{17F}", false),
        (r"^[^\w]$", "i", "\u{17F}", true),
        (r"\bb", "", "éb", true),
        (r"\Bb", "", "éb", false),
        (r"\B", "", "é", true),
        (r"^.\B", "", "éa", false),
        (r"^[^b]\B.$", "", "éß", true),
        (".{1000,}", "", &"é".repeat(1000), true),
        (".{1000,}", "", &"é".repeat(999), false),
        (r"a\b", "", "ab", false),
        (r"\<a\>", "", "<a>", true),
        ("[[a]", "", "[", true),
        ("[a&&b]", "", "&", true),
        ("[a~~b]", "", "b", true),
        ("[]a]", "", "]", true),
        ("[^]a]", "", "]", false),
        ("[[:digit:]]+$", "", "a1", true),
        ("[[:^digit:]x]", "", "1", false),
        ("^[[:upper:]]$", "i", "a", true),
        (r"\p{Greek}", "", "α", true),
        (r"\pL", "i", "é", true),
        ("(?x) a b # c\n d", "", "abd", true),
        (r"a{2,3}?b", "", "aab", true),
        (r"^a{2,3}$", "", "aaaa", false),
        (r"\x41\u0042\n", "", "AB\n", true),
        (r"a\/b", "", "a/b", true),
        (r#"\"\'\ \-"#, "", "\"' -", true),
        ("(?P<name>a)(?<other>b)", "", "ab", true),
        ("(a|b)*c", "", "abbac", true),
        ("(a*)*$", "", "b", true),
        ("(|a)+b", "", "b", true),
        ("[^a]", "", "a", false),
        ("[^a]", "", "😀", true),
        ("^.$", "", "😀", true),
    ] {
        let regex = Regex::new(pattern, flags(set)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(found(&regex, text), expected, "{pattern} on {text:?}");
    }
}

#[test]
fn what_is_refused_is_named_and_its_place_told() {
    for (pattern, place, message) in [
        ("a(?=b)", "(?=", "look-around"),
        ("é[[]a(?<!b)", "(?<!", "look-around"),
        (r"(a)\1", r"\1", "back reference"),
        ("a(?>b)", "(?>", "atomic"),
        ("a++", "+", "possessive"),
        ("[a]*+", "+", "possessive"),
        (r"foo\Kbar", r"\K", "reset"),
        (r"a\Z", r"\Z", "anchor"),
        (r"\Qa\E", r"\Q", "quoted"),
        ("(?R)", "(?R", "recursion"),
        ("(?u)a", "u", "flag"),
        ("a(b", "(", "without its `)`"),
        ("a)b", ")", "without its `(`"),
        ("a[b", "[", "without its `]`"),
        ("a{x}", "{", "starts no count"),
        ("*a", "*", "nothing before it"),
        (r"\y", r"\y", "escape"),
        (r"\p{Nope}", r"\p{Nope}", "property"),
        ("[a--b]", "--", "`--`"),
        ("[b-a]", "b-a", "range"),
        ("(a{1000}){1000}", "(a{1000}){1000}", "too large"),
        (r"(\p{L}{1000}){1000}", r"(\p{L}{1000}){1000}", "too large"),
        ("(((((a{9}){9}){9}){9}){9}){9}", "(((((a{9}){9}){9}){9}){9}){9}", "too large"),
    ] {
        let error = Regex::new(pattern, Flags::default()).expect_err(pattern);
        assert!(error.message.contains(message), "{pattern}: {error}");
        assert_eq!(&pattern[error.span.clone()], place, "{pattern}: {error}");
        assert!(error.help.is_some(), "{pattern}: {error}");
    }
    let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
    assert!(Regex::new(&deep, Flags::default()).is_err_and(|error| error.message.contains("nest")));
    let long = "a".repeat(PATTERN_BYTES_MAX + 1);
    assert!(Regex::new(&long, Flags::default()).is_err());
}

/// What is required, as text: `&` all, `|` one of them.
fn shown(required: &Required) -> String {
    let several = |parts: &[Required], sign: &str| {
        let shown: Vec<String> = parts.iter().filter(|part| !part.is_nothing()).map(shown).collect();
        if shown.len() == 1 { shown.concat() } else { format!("({})", shown.join(sign)) }
    };
    match required {
        Required::OneOf(literals) => {
            let shown = |literal: &Literal| match literal.kind {
                MatchKind::StartsWith => format!("^{}", literal.text),
                MatchKind::EndsWith => format!("{}$", literal.text),
                _ => literal.text.clone(),
            };
            literals.iter().map(shown).collect::<Vec<_>>().join("|")
        }
        Required::All(parts) => several(parts, " & "),
        Required::Any(branches) => several(branches, " / "),
    }
}

/// Whether a folded text has what is required.
fn meets(required: &Required, folded: &str) -> bool {
    match required {
        Required::OneOf(literals) => literals.iter().any(|literal| match literal.kind {
            MatchKind::StartsWith => folded.starts_with(&literal.text),
            MatchKind::EndsWith => folded.ends_with(&literal.text),
            _ => folded.contains(&literal.text),
        }),
        Required::All(parts) => parts.iter().all(|part| meets(part, folded)),
        Required::Any(branches) => branches.iter().any(|branch| meets(branch, folded)),
    }
}

#[test]
fn literals_that_every_match_has() {
    let mut wrong = Vec::new();
    for (pattern, set, expected) in [
        (r"ipconfig[ \x09]+/all", "", "(ipconfig\t|ipconfig  & /all & \t| )"),
        ("(?i)PowerShell.*-Enc", "", "(powershell & -enc)"),
        ("b|powershell", "", "(b|powershell & (b / powershell))"),
        (r"^C:\\Users\\.{1,9}\.exe$", "", r"(^c:\users\ & c:\users\ & .exe$ & .exe)"),
        ("x?cmd|wmic", "", "(cmd|wmic|xcmd & (cmd / wmic))"),
        ("[01]kelvin", "i", "(0kelvin|1kelvin & kelvin)"),
        (".*", "", "()"),
        ("a*", "", "()"),
        ("[^a]", "", "()"),
        ("(foo|)bar", "", "(bar & bar|foobar)"),
        (
            "(set).*&& ?set.*(environment|invoke)",
            "i",
            "(environment|invoke & && set|&&set & set & (environment|invoke & (environment / invoke)))",
        ),
        (
            r"^(net|sc)\.exe$",
            "",
            "(^net.exe|^sc.exe & net.exe$|sc.exe$ & net.exe|sc.exe & .exe & (net|sc & (net / sc)))",
        ),
        ("(^ab|cd$)x*", "", "(ab|cd & (ab|cd & ((^ab & ab) / (cd$ & cd))))"),
        ("ÉCOLE$", "", "(école$ & école)"),
    ] {
        let regex = Regex::new(pattern, flags(set)).expect(pattern);
        let given = shown(&regex.required());
        if given != expected {
            wrong.push(format!("{pattern}\n  {given}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "given, expected:\n{}", wrong.join("\n"));
}

/// Expressions of the corpus compile, and their tables are small.
#[test]
fn the_corpus_compiles() {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED") else { return };
    let mut waiting = vec![std::path::PathBuf::from(shared).join("corpus/sigma")];
    let (mut seen, mut without_literals, mut sizes) = (0, 0, Vec::new());
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = std::fs::read_to_string(&path).expect("a rule");
            for document in sigma::parse(&text, "rule.yml").documents {
                let Document::Rule(rule) = document else { continue };
                for (pattern, flags) in rule.detection.searches.iter().flat_map(|named| patterns(&named.search)) {
                    let regex = Regex::new(&pattern, flags)
                        .unwrap_or_else(|error| panic!("{}: {pattern}: {error}", path.display()));
                    seen += 1;
                    without_literals += usize::from(regex.required().is_nothing());
                    sizes.push((regex.table().len() * 4, pattern));
                }
            }
        }
    }
    sizes.sort();
    println!("{seen} expressions, {without_literals} without literals, median and largest tables:");
    println!("{:?} {:?}", sizes.get(sizes.len() / 2), sizes.iter().rev().take(4).collect::<Vec<_>>());
    assert!(seen > 200, "{seen} expressions");
    assert!(sizes.last().is_some_and(|(bytes, _)| *bytes < 64 << 10), "{:?}", sizes.last());
}

fn patterns(search: &Search) -> Vec<(String, Flags)> {
    match search {
        Search::All(inner) | Search::Any(inner) => inner.iter().flat_map(patterns).collect(),
        Search::Item(item) => {
            let has = |wanted| item.modifiers.iter().any(|spanned| spanned.modifier == wanted);
            let flags = Flags {
                insensitive: has(Modifier::Insensitive),
                multi_line: has(Modifier::MultiLine),
                single_line: has(Modifier::SingleLine),
            };
            let texts = item.values.iter().filter_map(|value| match &value.data {
                ValueData::Text(text) if has(Modifier::Re) => Some((text.clone(), flags)),
                _ => None,
            });
            texts.collect()
        }
    }
}

/// Pieces that mean the same to the `regex` crate.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[abkKé0 _]",
        Just(".".to_owned()),
        Just("[a-c]".to_owned()),
        Just("[^a]".to_owned()),
        Just("[^é-ü]".to_owned()),
        Just(r"[0-9]".to_owned()),
        Just(r"(?-u:\b)".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned()),
        Just(r"\A".to_owned()),
        Just(r"\z".to_owned()),
        Just(String::new()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => (inner.clone(), prop::sample::select(vec!["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"]))
                .prop_map(|(inner, times)| format!("(?:{inner}){times}")),
            1 => (inner, prop::sample::select(vec!["i", "-i", "s", "m", "-m"]))
                .prop_map(|(inner, set)| format!("(?{set}:{inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn agrees_with_the_regex_crate(
        pattern in prop_oneof![8 => pattern(), 1 => r"(\[abé\]|\[\^ab\]|\.|[aé])(\{[2-4]\}|\{[2-4],\}|\{2,5\})"],
        texts in proptest::collection::vec("[aAbckKéÉ\u{212A}0 _\n]{0,8}", 1..6),
        set in prop::sample::select(vec!["", "i", "m", "s", "ims"]),
    ) {
        let given = flags(set);
        let theirs = ::regex::RegexBuilder::new(&pattern).case_insensitive(given.insensitive)
            .multi_line(given.multi_line).dot_matches_new_line(given.single_line).build().expect("a sound expression");
        let ours = Regex::new(&pattern.replace(r"(?-u:\b)", r"\b"), given).expect("a sound expression");
        let required = ours.required();
        for text in texts {
            let matched = theirs.is_match(&text);
            prop_assert_eq!(found(&ours, &text), matched, "{} on {:?}", pattern, text);
            let folded = sandtrap_wit::text::fold(&text);
            prop_assert!(!matched || meets(&required, &folded), "{} matches {:?} without {:?}", pattern, text, required);
        }
    }
}
