//! What the command line says. docs/cli.md is the reference for people; the two are held together by a test.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// How many workers there may be: more than there are processors help nobody, and each takes memory.
const WORKERS_MAX: i64 = 256;

/// Exit codes, as `--help` shows them.
const EXIT_CODES: &str = "Exit codes:
  0  everything was done
  1  a rule was refused or could not be evaluated, or a test failed
  2  the command line is wrong
  3  an input could not be read, or has a bad line under --strict";

/// Compiles detections to sandboxed WebAssembly components and runs them over events.
#[derive(Debug, Parser)]
#[command(name = "sandtrap", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile rules to components
    #[command(after_help = EXIT_CODES)]
    Compile(Compile),
    /// Run rules over events and print verdicts
    #[command(after_help = EXIT_CODES)]
    Run(Run),
    /// Show what a component or rule is, reads and imports
    #[command(after_help = EXIT_CODES)]
    Inspect(Inspect),
    /// Find mistakes in rules that compile: fields that their events do not have, conditions that cannot hold, and more
    #[command(after_help = EXIT_CODES)]
    Lint(Lint),
    /// Run the tests that stand beside rules (NAME.test.yaml beside NAME.kql, .yaml, .yml or .wasm)
    #[command(after_help = EXIT_CODES)]
    Test(Test),
}

/// What all commands ask of the compiler.
#[derive(Clone, Debug, Args)]
pub(crate) struct Compiling {
    /// Refuse a rule that names a column its table does not have, instead of warning
    #[arg(long)]
    pub(crate) strict_schema: bool,
    /// Sigma processing pipeline (YAML), applied to every Sigma rule; may be given more than once
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) pipeline: Vec<PathBuf>,
    /// Values of the placeholders in Sigma rules: a YAML file of `name: [value, ...]`; may be given more than once
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) placeholders: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// Rule files (.kql; .yaml and .yml, of Sigma or KQL) or folders of them
    #[arg(required = true, value_name = "RULE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Where to write: a folder, or the file of a single rule [default: beside each rule]
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Print an intermediate form instead of writing components
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "output")]
    pub(crate) emit: Option<Emit>,
    #[command(flatten)]
    pub(crate) compiling: Compiling,
}

/// Forms between a rule's text and its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The syntax tree
    Ast,
    /// The plan, as JSON
    Plan,
    /// The WebAssembly text of the core module inside the component
    Wat,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Rule files (.kql, .yaml, .yml, .wasm) or folders of them
    #[arg(required = true, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Events: JSON in any common form, EVTX, plain or compressed; a folder of such files; `-` for standard input. May be
    /// given more than once
    #[arg(short, long, required = true, value_name = "PATH", action = clap::ArgAction::Append)]
    pub(crate) events: Vec<PathBuf>,
    /// How to print verdicts
    #[arg(long, value_enum, default_value_t = RunFormat::Json)]
    pub(crate) format: RunFormat,
    /// Run only rules of this level or above
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
    /// Run only rules of these statuses
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',')]
    pub(crate) status: Vec<Status>,
    /// Run only rules with one of these tags, or with one below it: `attack.t1219` takes attack.t1219.003
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    pub(crate) tag: Vec<String>,
    /// Leave out the rules with these ids
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) exclude_id: Vec<String>,
    /// What `now()` is, as an ISO 8601 datetime [default: the clock's time at the start]
    #[arg(long, value_name = "DATETIME")]
    pub(crate) now: Option<String>,
    /// Whether queries see only the events within their lookback, counted from now, or all of them
    #[arg(long, value_enum, default_value_t = Lookback::All)]
    pub(crate) lookback: Lookback,
    /// Stop at the first line that is not an event
    #[arg(long)]
    pub(crate) strict: bool,
    /// Folder of further streams files, which come before the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) streams: Option<PathBuf>,
    /// Report groups that appeared or changed every so many seconds while reading, not only at the end
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) interval: Option<u64>,
    /// How many workers evaluate beside each other; verdicts and their order are the same
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=WORKERS_MAX))]
    pub(crate) workers: u16,
    /// Where compiled rules and machine code are kept from one run to the next: a folder of your own, or `off` [default: the
    /// folder sandtrap among your caches]
    #[arg(long, value_name = "DIR|off", env = "SANDTRAP_CACHE", default_value = "", hide_default_value = true)]
    pub(crate) cache: Cache,
    /// Follow the rule files while reading: what changes among them is in force for the events that are read from then on. A
    /// set that does not load leaves the one before it in force
    #[arg(long)]
    pub(crate) watch: bool,
    /// Show at the end which detections cost most and why, and where the time went
    #[arg(long)]
    pub(crate) profile: bool,
    /// Whether an index finds the detections that can match an event, or each one's prefilter is looked at: the same
    /// verdicts, slowly
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "SWITCH", hide_short_help = true)]
    pub(crate) index: Switch,
    #[command(flatten)]
    pub(crate) compiling: Compiling,
}

/// Where the cache is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Where caches are on this machine.
    Default,
    At(PathBuf),
    Off,
}

impl From<OsString> for Cache {
    fn from(text: OsString) -> Self {
        if text.is_empty() {
            Self::Default
        } else if text == "off" {
            Self::Off
        } else {
            Self::At(text.into())
        }
    }
}

/// Whether something is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// How verdicts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    /// One JSON object per line, as they come
    Json,
    /// At the end of the input, the table of each detection that found something
    Table,
    /// At the end of the input, how many verdicts each detection gave, the gravest first
    Summary,
}

/// The level of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// The status of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
}

/// How reports are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object per line
    Json,
    /// For people
    Table,
}

/// Whether lookbacks are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lookback {
    /// Every event counts, however old
    All,
    /// As the queries say
    Query,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Components (.wasm) or rules (.kql, .yaml, .yml), or folders of them
    #[arg(required = true, value_name = "RULES")]
    pub(crate) files: Vec<PathBuf>,
    /// List only the detections that no prefilter keeps from any event of their streams, and why
    #[arg(long)]
    pub(crate) unpruned: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) compiling: Compiling,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Rule files (.kql; .yaml and .yml, of Sigma or KQL) or folders of them
    #[arg(required = true, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Fail on warnings too
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) compiling: Compiling,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Rule files (.kql, .yaml, .yml, .wasm) or folders of them
    #[arg(required = true, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Folder of further streams files, which come before the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) streams: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compiling: Compiling,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const REFERENCE: &str = include_str!("../../../docs/cli.md");

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_option_and_exit_code_is_in_the_reference() {
        for command in Cli::command().get_subcommands() {
            assert!(REFERENCE.contains(&format!("## sandtrap {} ", command.get_name())), "{}", command.get_name());
            for option in command.get_arguments().filter_map(clap::Arg::get_long).filter(|option| *option != "help") {
                let short = if option == "output" { "-o " } else { option };
                assert!(REFERENCE.contains(short), "--{option} of {}", command.get_name());
            }
        }
        for code in EXIT_CODES.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
            assert!(REFERENCE.contains(&format!("\n| {code} | ")), "exit code {code}");
        }
    }
}
