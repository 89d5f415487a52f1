//! What a stranger's files, or a site's, may make of a rule: refused with words, on a small stack, before it is large.

use std::{fmt::Write, sync::Arc, thread};

use sandtrap_compiler::{Compilation, Options, Site, compile, diagnostic::Diagnostic};

/// Less than the stacks that threads have.
const STACK_BYTES: usize = 512 << 10;

const RULE: &str = "title: A rule\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nlogsource: {product: windows}\nfields: [F]\n\
    detection: {s: {F: x}, t: {G|fieldref: F}, condition: [s, s and t]}\n";

fn compiled_on_a_small_stack(rule: &str, options: Options) -> Vec<Compilation> {
    let rule = rule.to_owned();
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || compile("r.yml", &rule, &options));
    thread.expect("a thread").join().expect("no panic")
}

/// The errors of a rule, as code and message.
fn errors(rule: &str, pipeline: &str, filters: &str) -> Vec<String> {
    let mut site = Site::default();
    if !pipeline.is_empty() {
        assert_eq!(site.add_pipeline(pipeline), []);
    }
    site.filters = Site::filters_of("f.yml", filters);
    let compilations = compiled_on_a_small_stack(rule, Options { strict_schema: false, site: Arc::new(site) });
    let found = compilations.iter().flat_map(|compilation| &compilation.diagnostics);
    found.filter(|found| found.is_error()).map(shown).collect()
}

fn shown(found: &Diagnostic) -> String {
    format!("{} {}", found.code, found.message)
}

/// Filters of a file, each with so many searches for fields of its own.
fn filters(count: usize, searches: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let items: Vec<_> = (0..searches).map(|search| format!("F{number}-{search}: a")).collect();
        let filter = format!("rules: any, s: {{{}}}, condition: not s", items.join(", "));
        writeln!(text, "---\ntitle: f{number}\nlogsource: {{product: windows}}\nfilter: {{{filter}}}").expect("text");
    }
    text
}

fn pipeline(steps: usize, step: &str) -> String {
    format!("name: ours\ntransformations:\n{}", format!("  - {{id: i, {step}}}\n").repeat(steps))
}

#[test]
fn many_filters_and_added_conditions_are_refused_without_running_out_of_stack() {
    let added = "type: add_condition, conditions: {H: y}";
    assert_eq!(errors(RULE, "", &filters(400, 1)), [""; 0]);
    assert_eq!(errors(RULE, &pipeline(500, added), ""), [""; 0]);
    assert_eq!(
        errors(RULE, "", &filters(900, 1)),
        ["SIG0702 the filter `f512` cannot narrow this rule: it has 512 filters already"]
    );
    assert_eq!(
        errors(RULE, &pipeline(5_000, added), ""),
        [
            "PIP0010 transformation 1025 (`i`) of the pipeline `ours` adds a condition to this rule, to which pipelines have \
          added 1024"
        ]
    );
    assert_eq!(errors(RULE, &pipeline(100, &format!("{added}, negated: true")), &filters(100, 1)), [""; 0]);
}

#[test]
fn filters_of_a_query_do_not_nest() {
    let named = filters(400, 1).replace("any", "[q]");
    let site = Site { filters: Site::filters_of("f.yml", &named), ..Site::default() };
    let options = Options { strict_schema: false, site: Arc::new(site) };
    let thread = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || compile("q.kql", "DeviceNetworkEvents | where RemoteUrl has 'kvm'", &options).remove(0));
    let compilation = thread.expect("a thread").join().expect("no panic");
    assert_eq!(compilation.narrowed_by.len(), 400, "{:?}", compilation.diagnostics);
    assert!(compilation.component.is_some(), "{:?}", compilation.diagnostics);
}

#[test]
fn conditions_are_compiled_or_refused_on_a_small_stack() {
    let detection = |searches: usize, condition: &str| {
        let searches: Vec<_> = (0..searches).map(|search| format!("  s{search}: {{F{search}: x}}\n")).collect();
        let searches = searches.concat();
        format!(
            "title: A rule\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nlogsource: {{product: windows}}\ndetection:\n\
             {searches}  condition: {condition}\n"
        )
    };
    let list =
        |count: usize| format!("[{}]", (0..count).map(|at| format!("s{}", at % 1_000)).collect::<Vec<_>>().join(", "));
    assert_eq!(errors(&detection(1_000, &list(4_000)), "", "").len(), 1, "4,000 operators");
    assert_eq!(errors(&detection(1_000, &list(700)), "", ""), [""; 0]);
    let nested = |depth: usize| format!("{}s0{}", "not (s1 and ".repeat(depth), ")".repeat(depth));
    assert_eq!(errors(&detection(2, &nested(32)), "", ""), [""; 0]);
    assert_eq!(
        errors(&detection(2, &nested(33)), "", ""),
        ["SIG0011 `not` and parentheses nest deeper than 64 levels"]
    );
}

#[test]
fn a_filter_that_makes_a_rule_too_large_is_named() {
    for (filters, expected) in [
        (filters(1, 700), ""),
        (
            filters(1, 1_000),
            "SIG0702 the filter `f0` cannot narrow this rule: the condition has 2002 operators and searches, more than 1536",
        ),
        (
            filters(1, 766),
            "SIG0702 the filter `f0` cannot narrow this rule: with it, the condition has 1542 operators and searches, \
             more than 1536",
        ),
        (
            format!("{}{}", filters(3, 10), filters(1, 766).replace("title: f0", "title: large")),
            "SIG0702 4 filters, of which `large` is the largest, cannot narrow this rule: with them, the condition has \
             1608 operators and searches, more than 1536",
        ),
    ] {
        assert_eq!(errors(RULE, "", &filters).join("; "), expected);
    }
    // A rule that is too large without them is none of their business.
    let items: Vec<_> = (0..1_600).map(|item| format!("F{item}: x")).collect();
    let large = RULE.replace("F: x", &items.join(", "));
    let own = errors(&large, "", &filters(1, 1));
    assert!(own.len() == 1 && own[0].starts_with("SIG0606 the condition has 6408 "), "{own:?}");
}

#[test]
fn pipelines_do_not_make_a_rule_of_any_size() {
    const PARTS: &str = "100000 items and values";
    const BYTES: &str = "16777216 bytes of text";
    let long = "x".repeat(1 << 20);
    for (steps, step, refused) in [
        (40, "type: field_name_mapping, mapping: {F: [F, F]}".to_owned(), Some(PARTS)),
        // As deep as there are transformations, if it were not kept flat.
        (1_000, "type: field_name_mapping, mapping: {F: [F, H]}".to_owned(), None),
        (30, "type: replace_string, regex: x, replacement: xxxxxxxxxx".to_owned(), Some(BYTES)),
        (30, "type: replace_string, regex: x, replacement: xxxxxxxxxx, skip_special: true".to_owned(), Some(BYTES)),
        (30, r"type: replace_string, regex: x*, replacement: '\g<0>\g<0>\g<0>'".to_owned(), Some(BYTES)),
        (40, "type: map_string, mapping: {x: [x, x]}".to_owned(), Some(PARTS)),
        (20, format!("type: field_name_prefix, prefix: '{}'", &long[..1_000]), None),
        (1, format!("type: add_condition, template: true, conditions: {{H: '{}'}}", "$product".repeat(1_000)), None),
    ] {
        let found = errors(RULE, &pipeline(steps, &step), "");
        match refused {
            None => assert!(found.is_empty(), "{step:.80}: {found:.300?}"),
            Some(refused) => {
                assert_eq!(found.len(), 1, "{step:.80}: {found:.300?}");
                let (before, after) = found[0].split_once(" (`i`) of the pipeline `ours` ").expect("the pipeline");
                assert!(before.starts_with("PIP0010 transformation "), "{step:.80}: {before}");
                assert_eq!(
                    after,
                    format!("makes this rule too large: it would have more than {refused}"),
                    "{step:.80}"
                );
            }
        }
    }
    // Each as long as a file allows, many times.
    let prefix = format!("type: field_name_prefix, prefix: '{long}'");
    let many: Vec<_> = (0..100).map(|item| format!("F{item}: x")).collect();
    let found = errors(&RULE.replace("F: x", &many.join(", ")), &pipeline(1, &prefix), "");
    assert!(found.len() == 1 && found[0].ends_with(BYTES), "{found:.300?}");
    let product = format!(
        "transformations:\n  - {{type: change_logsource, product: {}}}\n  - {{type: add_condition, template: true, \
         conditions: {{H: '{}'}}}}\n",
        &long[..1 << 19],
        "$product".repeat(10_000)
    );
    let found = errors(RULE, &product, "");
    assert!(found.len() == 1 && found[0].ends_with(BYTES), "{found:.300?}");
}

#[test]
fn what_is_wrong_everywhere_is_said_once() {
    let conditions = format!("[{}]", vec!["s"; 5_000].join(", "));
    let list = RULE.replace("[s, s and t]", &conditions);
    let values = RULE.replace("{F: x}", &format!("[{}]", vec!["{F|base64offset: x}"; 50].join(", ")));
    for (rule, code, more) in [
        (list.as_str(), "SIG0011", "and 903 more like it"),
        (values.as_str(), "SIG0602", "and 49 more like it"),
        // Another document of the file says it, too.
        (&format!("{RULE}---\n{list}"), "SIG0011", "and 903 more like it"),
    ] {
        let found: Vec<_> = compiled_on_a_small_stack(rule, Options::default())
            .into_iter()
            .flat_map(|compilation| compilation.diagnostics)
            .filter(Diagnostic::is_error)
            .collect();
        assert_eq!(found.len(), 1, "{found:.500?}");
        assert_eq!((found[0].code, found[0].label.as_str()), (code, more));
    }
    let found = compile("r.yml", &format!("{list}---\n{list}"), &Options::default());
    assert_eq!(found.iter().flat_map(|found| &found.diagnostics).filter(|found| found.is_error()).count(), 2);
}
