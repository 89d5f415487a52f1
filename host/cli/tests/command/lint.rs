//! `sandtrap lint`.

use super::*;

#[test]
fn sound_rules_are_quiet() {
    let scene = Scene::new(&[("a.yml", &process_rule("a", "Image: a")), ("b.kql", PIKVM)]);
    let ended = scene.call(&["lint", ".", "--strict"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "2 rule files, 0 errors, 0 warnings\n"));
}

#[test]
fn what_is_odd_is_a_warning_and_under_strict_a_failure() {
    let sound = process_rule("a", "Image: a");
    for (rule, parts) in [
        (sound.replace("Image: a", "Imagee: a"), &["warning[LNT0001]", "a.yml:8:5", "did you mean `Image`?"][..]),
        (
            sound.replace("  condition", "  other: {Image: b}\n  condition"),
            &["warning[LNT0002]", "a.yml:9:3", "no condition asks for `other`"],
        ),
        (
            sound.replace("condition: selection", "condition: selection and not selection"),
            &["warning[LNT0003]", "a.yml:9:14", "no event can meet this condition"],
        ),
        (
            sound.replace("attack.t1059.001", "attack.credential_access"),
            &["warning[SIG0005]", "a.yml:4:8", "did you mean `attack.credential-access`?"],
        ),
    ] {
        let scene = Scene::new(&[("a.yml", &rule)]);
        let ended = scene.call(&["lint", "a.yml"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{rule}: {ended:?}");
        ended.assert_stderr(parts);
        ended.assert_stderr(&["1 rule files, 0 errors, 1 warnings"]);
        assert_eq!(scene.call(&["lint", "a.yml", "--strict"]).code, Some(1), "{rule}");
    }
}

#[test]
fn two_rules_of_one_id_are_an_error_that_names_both_files() {
    let rule = process_rule("same", "Image: a");
    let scene = Scene::new(&[("r/first.yml", &rule), ("r/deep/second.yml", &rule)]);
    let ended = scene.call(&["lint", "r"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["r/first.yml: the id local/same is claimed by r/deep/second.yml too", "1 errors"]);
}

#[test]
fn errors_of_the_compiler_are_said_too() {
    let scene =
        Scene::new(&[("a.yml", &process_rule("a", "Image|endwith: a")), ("b.kql", "DeviceNetworkEvents | wehre x\n")]);
    let ended = scene.call(&["lint", "."]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.assert_stderr(&["error[SIG0201]", "error[KQL", "2 rule files, 2 errors, 0 warnings"]);
}

#[test]
fn the_rules_of_sigma_hq_are_quiet() {
    let Some(shared) = std::env::var_os("SANDTRAP_SHARED") else { return };
    let rules = Path::new(&shared).join("corpus/sigma/rules");
    let ended = Scene::new(&[]).call(&["lint", &rules.to_string_lossy()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "3141 rule files, 0 errors, 0 warnings\n"));
}
