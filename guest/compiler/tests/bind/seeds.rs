//! The four KQL detections that started the project, pasted unchanged from their pages.

use super::bind;

const KVM: &str = r#"let KVMDeviceNames = dynamic([
  "TinyPilot", "PiKVM", "Raritan", "Avocent", "ATEN", "iDRAC",
  "iLO", "IPMI", "Lantronix", "Opengear", "KVM", "Digi",
  "CyberPower", "ServerTech", "Supermicro IPMI"
]);
let KVMPorts = dynamic([5900, 5901, 443, 80, 8080, 623, 5000, 8443, 8888]);
let KVMUserAgents = dynamic([
  "TinyPilot", "PiKVM", "noVNC", "websockify"
]);
// Detection 1: Network connections to KVM-typical ports from new USB devices
DeviceNetworkEvents
| where Timestamp > ago(24h)
| where RemotePort in (KVMPorts)
| where LocalIP startswith "192.168." or LocalIP startswith "10." or LocalIP startswith "172."
| where RemoteUrl has_any (KVMDeviceNames) or RemoteUrl has_any ("pikvm", "tinypilot", "kvm", "ipmi", "idrac", "ilo")
| project Timestamp, DeviceName, LocalIP, RemoteIP, RemotePort, RemoteUrl,
         InitiatingProcessFileName, InitiatingProcessCommandLine
| sort by Timestamp desc
"#;

const RPORT: &str = r"let Time_start = now(-5d);
let Time_end = now();
//
DeviceNetworkEvents
| where Timestamp between (Time_start..Time_end)
| where InitiatingProcessVersionInfoCompanyName has 'RealVNC'
and InitiatingProcessVersionInfoProductName has 'rport'
| summarize FirstSeen=min(Timestamp), LastSeen=max(Timestamp),
Report=make_set(ReportId), Count=count() by DeviceId, DeviceName,
RemoteUrl
";

const LEVEL: &str = r"let Time_start = now(-5d);
let Time_end = now();
//
DeviceNetworkEvents
| where Timestamp between (Time_start..Time_end)
| where RemoteUrl has_any (
'agents.level.io',
'online.level.io',
'builds.level.io',
'downloads.level.io'
)
and InitiatingProcessFileName has 'level'
| summarize FirstSeen=min(Timestamp), LastSeen=max(Timestamp),
Report=make_set(ReportId), Count=count() by DeviceId, DeviceName,
RemoteUrl
";

const SERVEREYE: &str = r"let Time_start = now(-5d);
let Time_end = now();
//
DeviceNetworkEvents
| where Timestamp between (Time_start..Time_end)
| where RemoteUrl has 'server-eye.de'
and InitiatingProcessVersionInfoCompanyName has 'Krämer IT Solutions GmbH'
and InitiatingProcessVersionInfoProductName has_any (
'ServerEye',
'Server-Eye'
)
| summarize FirstSeen=min(Timestamp), LastSeen=max(Timestamp),
Report=make_set(ReportId), Count=count() by DeviceId, DeviceName,
RemoteUrl
";

#[test]
fn the_seeds_bind_without_a_word() {
    for query in [KVM, RPORT, LEVEL, SERVEREYE] {
        let (_, diagnostics) = bind(query);
        assert_eq!(diagnostics, [], "{query}");
    }
}
