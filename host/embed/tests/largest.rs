//! The largest rules that the compiler accepts are within what the engine accepts.

use sandtrap_embed::{
    Engine, EngineLimits,
    compiler::{Options, compile},
};

#[test]
fn the_largest_rules_are_loaded_and_compiled() {
    let engine = Engine::new(EngineLimits::default()).expect("an engine");
    let any = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>();
    let joined = any(511, &|n| format!("RemotePort == {n}")).join(" or ");
    let texts = any(380, &|n| format!("RemoteUrl contains 'needle {n}'")).join(" and ");
    let mixed = any(210, &|n| format!("(RemoteUrl =~ DeviceName or LocalPort == {n})")).join(" and ");
    let columns = any(250, &|n| format!("c{n} = strcat(tolower(RemoteUrl), '{n}')")).join(", ");
    for (file, query) in [
        ("comparisons.kql", format!("DeviceNetworkEvents | where {joined}")),
        ("texts.kql", format!("DeviceNetworkEvents | where {texts}")),
        ("mixed.kql", format!("DeviceNetworkEvents | where {mixed}")),
        ("columns.kql", format!("DeviceNetworkEvents | extend {columns}")),
    ] {
        let compilation = compile(file, &query, &Options::default()).remove(0);
        let Some(component) = compilation.component else { panic!("{file}: {:?}", compilation.diagnostics) };
        let detection = engine.load(&component).unwrap_or_else(|error| panic!("{file}: {error}"));
        detection.prepare().unwrap_or_else(|error| panic!("{file}: {error}"));
        println!("{file}: {} bytes", component.len());
    }
}
