//! What a site adds to rules: `pipeline + rule -> condition`, filters, and the errors of each with their places.

use std::sync::Arc;

use sandtrap_compiler::{Compilation, Options, Site, compile};

use crate::show;

/// A rule with the body of its detection, and what is beside it.
fn rule(detection: &str) -> String {
    format!(
        "title: A rule\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nname: a_rule\nlevel: high\nstatus: test\n\
         tags: [attack.t1059, attack.command-and-control, car.x]\nfields: [Image, User]\n\
         logsource: {{product: windows, category: process_creation}}\ndetection:\n{detection}"
    )
}

const PLAIN: &str = "  s:\n    Image|endswith: '\\a.exe'\n    Id: 1\n  condition: s\n";

fn site(pipelines: &[&str], filters: &[&str]) -> Options {
    let mut site = Site::default();
    for pipeline in pipelines {
        assert_eq!(site.add_pipeline(pipeline), [], "{pipeline}");
    }
    for filter in filters {
        site.filters.extend(Site::filters_of("f.yml", filter));
    }
    assert_eq!(site.filters.len(), filters.len());
    Options { strict_schema: false, site: Arc::new(site) }
}

fn compiled(text: &str, options: &Options) -> Compilation {
    let mut compilations = compile("r.yml", text, options);
    assert_eq!(compilations.len(), 1, "{compilations:?}");
    compilations.remove(0)
}

/// The condition and the columns of a rule, or its errors.
fn shown(text: &str, options: &Options) -> String {
    let compilation = compiled(text, options);
    let errors: Vec<_> = compilation.diagnostics.iter().filter(|found| found.is_error()).collect();
    match compilation.program() {
        Some(program) if errors.is_empty() => {
            let shown = show::program(program);
            shown.split_once("where ").expect("a filter").1.to_owned()
        }
        _ => errors.iter().map(|found| format!("{} {}", found.code, found.message)).collect::<Vec<_>>().join("; "),
    }
}

/// A pipeline of one transformation.
fn pipeline(transformation: &str) -> String {
    format!("transformations:\n  - {transformation}\n")
}

#[test]
fn transformations_change_fields_and_values() {
    let own = r#"(and (endswith~ Image ["\\a.exe"]) (equals~ Id ["1"])) -> Image, User, Id"#;
    assert_eq!(shown(&rule(PLAIN), &Options::default()), own);
    for (transformation, expected) in [
        (
            "{type: field_name_mapping, mapping: {Image: proc, Other: x}}",
            r#"(and (endswith~ proc ["\\a.exe"]) (equals~ Id ["1"])) -> proc, User, Id"#,
        ),
        (
            "{type: field_name_mapping, mapping: {Image: [p, q]}}",
            r#"(and (or (endswith~ p ["\\a.exe"]) (endswith~ q ["\\a.exe"])) (equals~ Id ["1"])) -> p, q, User, Id"#,
        ),
        (
            "{type: field_name_prefix_mapping, mapping: {Im: pre.}}",
            r#"(and (endswith~ pre.age ["\\a.exe"]) (equals~ Id ["1"])) -> pre.age, User, Id"#,
        ),
        (
            "{type: field_name_prefix, prefix: win., field_name_conditions: [{type: exclude_fields, fields: [Id]}]}",
            r#"(and (endswith~ win.Image ["\\a.exe"]) (equals~ Id ["1"])) -> win.Image, win.User, Id"#,
        ),
        (
            "{type: field_name_suffix, suffix: .k, field_name_conditions: [{type: include_fields, fields: ['I.$'], mode: re}]}",
            r#"(and (endswith~ Image ["\\a.exe"]) (equals~ Id.k ["1"])) -> Image, User, Id.k"#,
        ),
        (
            "{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [Id]}]}",
            r#"(endswith~ Image ["\\a.exe"]) -> Image, User"#,
        ),
        (
            "{type: add_condition, conditions: {Host|startswith: 'x-$category'}, template: true}",
            r#"(and (startswith~ Host ["x-process_creation"]) (endswith~ Image ["\\a.exe"]) (equals~ Id ["1"])) -> Image, User, Id, Host"#,
        ),
        (
            "{type: add_condition, conditions: {Host: [a, b]}, negated: true}",
            r#"(and (not (equals~ Host ["a", "b"])) (endswith~ Image ["\\a.exe"]) (equals~ Id ["1"])) -> Image, User, Id, Host"#,
        ),
        (
            r"{type: replace_string, regex: '^\\(\w)', replacement: '/\1*'}",
            r#"(and (any Image ~ <*>/a<*>.exe) (equals~ Id ["1"])) -> Image, User, Id"#,
        ),
        (
            r"{type: replace_string, regex: '1', replacement: 'x?'}",
            r#"(and (endswith~ Image ["\\a.exe"]) (any Id ~ x<?>)) -> Image, User, Id"#,
        ),
        (
            r"{type: replace_string, regex: 'a', replacement: 'b*', skip_special: true}",
            r#"(and (endswith~ Image ["\\b*.exe"]) (equals~ Id ["1"])) -> Image, User, Id"#,
        ),
        (
            r"{type: map_string, mapping: {'*\a.exe': [x, y]}}",
            r#"(and (endswith~ Image ["x", "y"]) (equals~ Id ["1"])) -> Image, User, Id"#,
        ),
        ("{type: add_field, field: X}", &own.replace("User, Id", "User, X, Id")),
        ("{type: remove_field, field: [User, Nobody]}", &own.replace(" User,", "")),
        ("{type: set_field, fields: [Id]}", &own.replace("-> Image, User, Id", "-> Id, Image")),
        ("{type: rule_failure, message: not here}", "PIP0008 a pipeline refuses this rule: not here"),
        (
            "{type: detection_item_failure, message: no, detection_item_conditions: [{type: match_value, value: 1, cond: any}]}",
            "PIP0008 a pipeline refuses this rule: no",
        ),
        ("{type: drop_detection_item}", "PIP0009 pipelines leave nothing of what this rule looks for"),
    ] {
        assert_eq!(shown(&rule(PLAIN), &site(&[&pipeline(transformation)], &[])), expected, "{transformation}");
    }
}

#[test]
fn a_logsource_can_be_changed() {
    let text = pipeline("{type: change_logsource, product: linux, service: auditd}");
    let program = compiled(&rule(PLAIN), &site(&[&text], &[])).program().cloned().expect("a program");
    assert!(show::program(&program).starts_with("source linux/*/auditd "));
}

#[test]
fn conditions_say_what_a_transformation_is_about() {
    for (conditions, holds) in [
        ("rule_conditions: [{type: logsource, product: windows}]", true),
        ("rule_conditions: [{type: logsource, product: windows, service: x}]", false),
        ("rule_conditions: [{type: logsource, product: linux}, {type: tag, tag: car.x}], rule_cond_op: or", true),
        ("rule_conditions: [{type: logsource, product: linux}, {type: tag, tag: car.x}]", false),
        ("rule_conditions: [{type: logsource, product: linux}], rule_cond_not: true", true),
        (
            "rule_conditions: {a: {type: is_sigma_rule}, b: {type: is_sigma_correlation_rule}}, rule_cond_expr: a and not b",
            true,
        ),
        ("rule_conditions: [{type: tag, tag: attack.t1059}]", true),
        ("rule_conditions: [{type: tag, tag: attack.command_and_control}]", true),
        ("rule_conditions: [{type: tag, tag: attack.t1060}]", false),
        ("rule_conditions: [{type: rule_attribute, attribute: id, value: 929a690e-bef0-4204-a928-ef5e620d6fcc}]", true),
        ("rule_conditions: [{type: rule_attribute, attribute: name, value: a_rule, op: ne}]", false),
        ("rule_conditions: [{type: rule_attribute, attribute: level, value: medium, op: gte}]", true),
        ("rule_conditions: [{type: rule_attribute, attribute: status, value: stable, op: lt}]", true),
        ("rule_conditions: [{type: rule_attribute, attribute: tags, value: car.x, op: not_in}]", false),
        ("rule_conditions: [{type: contains_field, field: Id}]", true),
        ("rule_conditions: [{type: contains_detection_item, field: Id, value: 1}]", true),
        ("rule_conditions: [{type: contains_detection_item, field: Id, value: 2}]", false),
        ("rule_conditions: [{type: processing_state, key: k, val: 2, op: lt}]", true),
        ("rule_conditions: [{type: processing_item_applied, processing_item_id: first}]", true),
        ("rule_conditions: [{type: processing_item_applied, processing_item_id: second}]", false),
        ("detection_item_conditions: [{type: match_string, cond: any, pattern: '\\\\a'}]", true),
        ("detection_item_conditions: [{type: match_string, cond: any, pattern: '^\\*'}]", true),
        ("detection_item_conditions: [{type: match_string, cond: all, pattern: 'a'}]", false),
        ("detection_item_conditions: [{type: contains_wildcard, cond: any}]", true),
        ("detection_item_conditions: [{type: is_null, cond: any}]", false),
        ("detection_item_conditions: [{type: processing_item_applied, processing_item_id: first}]", true),
        ("field_name_conditions: [{type: processing_item_applied, processing_item_id: first}]", true),
        ("field_name_conditions: [{type: include_fields, fields: [Nothing]}]", false),
    ] {
        let text = format!(
            "transformations:\n  - {{id: first, type: field_name_mapping, mapping: {{Image: I}}}}\n  \
             - {{type: set_state, key: k, val: 1}}\n  - {{type: field_name_mapping, mapping: {{I: J}}, {conditions}}}\n"
        );
        let expected = if holds { "(endswith~ J " } else { "(endswith~ I " };
        let shown = shown(&rule(PLAIN), &site(&[&text], &[]));
        assert!(shown.contains(expected), "{conditions}: {shown}");
    }
}

#[test]
fn references_and_placeholders_are_changed_too() {
    let body = "  s:\n    A|fieldref: B\n    C|expand|contains: 'x%p%'\n  condition: s\n";
    let text = "vars: {p: ['y*', '50%']}\ntransformations:\n  - {type: field_name_mapping, mapping: {B: [D, E]}}\n  - {type: value_placeholders}\n";
    assert_eq!(
        shown(&rule(body), &site(&[text], &[])),
        r#"(and (or (any A equals~ D) (any A equals~ E)) (contains~ C ["xy", "x50%"])) -> Image, User, A, D, E, C"#
    );
    let text = "transformations:\n  - {type: value_placeholders, include: [q]}\n  - {type: wildcard_placeholders, exclude: [q]}\n";
    let shown = shown(&rule(body), &site(&[text], &[]));
    assert!(shown.contains(r#"(contains~ C ["x"])"#), "{shown}");
}

#[test]
fn pipelines_are_applied_by_priority() {
    let first = "priority: 10\ntransformations: [{type: field_name_mapping, mapping: {Image: I}}]\n";
    let second = "priority: 20\ntransformations: [{type: field_name_mapping, mapping: {I: J}}]\n";
    for pipelines in [[first, second], [second, first]] {
        assert!(shown(&rule(PLAIN), &site(&pipelines, &[])).contains("(endswith~ J "));
    }
}

#[test]
fn what_a_dropped_item_leaves() {
    let body = "  a:\n    X: 1\n  b:\n    Y: 2\n  c:\n    Z: 3\n  condition: a and not (b or c) or all of *\n";
    let text = pipeline("{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [X, Y]}]}");
    assert_eq!(
        shown(&rule(body), &site(&[&text], &[])),
        r#"(or (not (equals~ Z ["3"])) (equals~ Z ["3"])) -> Image, User, Z"#
    );
}

#[test]
fn a_pipeline_s_mistakes_are_said_where_they_stand() {
    for (text, code, at) in [
        ("- a", "PIP0004", "- a"),
        ("", "PIP0001", ""),
        ("transformations: x", "PIP0004", "x"),
        ("priority: high", "PIP0004", "high"),
        ("names: x", "PIP0004", "names"),
        ("transformations: [{type: field_name_maping, mapping: {a: b}}]", "PIP0002", "field_name_maping"),
        ("transformations: [{type: query_expression_placeholders}]", "PIP0002", "query_expression_placeholders"),
        ("transformations: [{type: field_name_mapping}]", "PIP0004", "field_name_mapping"),
        ("transformations: [{type: field_name_prefix, prefix: [a]}]", "PIP0004", "[a]"),
        ("transformations: [{type: drop_detection_item, prefix: a}]", "PIP0004", "prefix"),
        ("transformations: [{type: add_condition, conditions: {a|x: b}}]", "SIG0201", "x"),
        ("transformations: [{type: drop_detection_item, rule_conditions: [{type: logsorce}]}]", "PIP0003", "logsorce"),
        (
            "transformations: [{type: drop_detection_item, rule_conditions: [{type: logsource}]}]",
            "PIP0004",
            "logsource",
        ),
        ("transformations: [{type: drop_detection_item, rule_cond_op: xor}]", "PIP0004", "xor"),
        ("transformations: [{type: drop_detection_item, rule_cond_expr: a}]", "PIP0007", "a"),
        (
            "transformations: [{type: drop_detection_item, rule_conditions: [{type: rule_attribute, attribute: date, value: x}]}]",
            "PIP0003",
            "date",
        ),
        (
            "transformations: [{type: drop_detection_item, detection_item_conditions: [{type: match_string, cond: any, pattern: '(a'}]}]",
            "PIP0005",
            "'(a'",
        ),
        (r"transformations: [{type: replace_string, regex: a, replacement: '\1'}]", "PIP0005", r"'\1'"),
        ("finalizers: [{type: concat}]", "PIP0006", "[{type: concat}]"),
        ("a: 'x", "RUL0004", ""),
    ] {
        let mut site = Site::default();
        let found = site.add_pipeline(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!((found[0].code, &text[found[0].span.clone()]), (code, at), "{text}: {found:?}");
        assert_eq!(site.pipelines.is_empty(), found[0].is_error(), "{text}");
    }
}

const FILTER: &str = "title: No admins\nid: 0f95725d-7320-415d-80f7-004da920fc12\nlogsource: {product: windows}\nfilter:\n  \
    rules: [a_rule]\n  sel:\n    User|startswith: adm_\n  sel_b:\n    Image|endswith: \\b.exe\n  condition: not 1 of sel*\n";

#[test]
fn filters_narrow_the_rules_that_they_name() {
    let narrowed = r#"(and (endswith~ Image ["\\a.exe"]) (equals~ Id ["1"]) (not (or (startswith~ User ["adm_"]) (endswith~ Image ["\\b.exe"])))) -> Image, User, Id"#;
    for (filter, narrows) in [
        (FILTER.to_owned(), true),
        (FILTER.replace("[a_rule]", "929a690e-bef0-4204-a928-ef5e620d6fcc"), true),
        (FILTER.replace("[a_rule]", "any"), true),
        (FILTER.replace("[a_rule]", "[other]"), false),
        (FILTER.replace("windows}", "linux}"), false),
        (FILTER.replace("windows}", "windows, service: x}"), false),
    ] {
        let options = site(&[], &[&filter]);
        let compilation = compiled(&rule(PLAIN), &options);
        assert_eq!(compilation.narrowed_by.len(), usize::from(narrows), "{filter}");
        assert_eq!(shown(&rule(PLAIN), &options) == narrowed, narrows, "{filter}");
    }
    // Pipelines see filters as parts of rules.
    let options = site(&[&pipeline("{type: field_name_mapping, mapping: {User: u, Image: i}}")], &[FILTER]);
    assert_eq!(compiled(&rule(PLAIN), &options).narrowed_by, ["0f95725d-7320-415d-80f7-004da920fc12"]);
    assert!(shown(&rule(PLAIN), &options).contains(r#"(not (or (startswith~ u ["adm_"]) (endswith~ i ["\\b.exe"])))"#));
}

#[test]
fn a_filter_with_a_mistake_says_so_itself_and_costs_the_rule() {
    let broken = FILTER.replace("User|startswith: adm_", "User|expand: '%x%'");
    let options = site(&[], &[&broken]);
    let own = compiled(&broken, &options);
    let at = &own.diagnostics[0];
    assert_eq!((at.code, &broken[at.span.clone()]), ("SIG0605", "'%x%'"));
    assert!(own.component.is_none());
    let text = shown(&rule(PLAIN), &options);
    assert!(text.starts_with("SIG0702 the filter `No admins` cannot narrow this rule: nothing is known"), "{text}");
    let fine = compiled(FILTER, &Options::default());
    assert!(fine.component.is_none() && !fine.is_broken(), "{:?}", fine.diagnostics);
}

#[test]
fn a_filter_narrows_a_query_before_it_counts() {
    let query = "DeviceNetworkEvents | where RemoteUrl has 'kvm' | summarize n = count() by DeviceName";
    let filter = FILTER.replace("[a_rule]", "[q]").replace("User", "AccountName").replace("Image", "RemoteUrl");
    let options = site(&[], &[&filter]);
    let mut compilations = compile("q.kql", query, &options);
    let compilation = compilations.remove(0);
    assert_eq!(compilation.narrowed_by.len(), 1, "{:?}", compilation.diagnostics);
    assert!(compilation.component.is_some(), "{:?}", compilation.diagnostics);
    assert_eq!(
        show::program(compilation.program().expect("a program")),
        "source DeviceNetworkEvents (DeviceName:string, RemoteUrl:string, [AccountName]:string, [RemoteUrl]:string) prefilter RemoteUrl~kvm & !AccountName^adm_ & !RemoteUrl$\\b.exe\n\
         kernel where (and (has~ RemoteUrl [\"kvm\"]) (not (or (startswith~ AccountName [\"adm_\"]) (endswith~ RemoteUrl [\"\\\\b.exe\"])))) -> DeviceName\n\
         aggregate n=count() by DeviceName"
    );
    for (query, narrowed) in [("print 1", false), ("DeviceNetworkEvents | count", true)] {
        let compilation = compile("q.kql", query, &options).remove(0);
        assert_eq!(compilation.component.is_some(), narrowed, "{query}: {:?}", compilation.diagnostics);
        assert_eq!(compilation.diagnostics.iter().any(|found| found.code == "SIG0702"), !narrowed, "{query}");
    }
    // Only by its name.
    let any = site(&[], &[&filter.replace("[q]", "any")]);
    assert!(compile("q.kql", query, &any).remove(0).narrowed_by.is_empty());
}
