//! The codes of this front end's diagnostics (docs/diagnostics.md).

pub(super) const NO_RULE: &str = "SIG0001";
pub(super) const KEY: &str = "SIG0002";
pub(super) const MISSING: &str = "SIG0003";
pub(super) const KIND: &str = "SIG0004";
pub(super) const REMARK: &str = "SIG0005";
pub(super) const UNKNOWN_KEY: &str = "SIG0006";
pub(super) const TAXONOMY: &str = "SIG0007";
pub(super) const ID: &str = "SIG0008";
pub(super) const SAME_ID: &str = "SIG0009";
pub(super) const ACTION: &str = "SIG0010";
pub(super) const LIMIT: &str = "SIG0011";
pub(super) const LOGSOURCE: &str = "SIG0012";

pub(super) const EMPTY_SEARCH: &str = "SIG0101";
pub(super) const NESTED_VALUE: &str = "SIG0102";
pub(super) const NULL_IN_LIST: &str = "SIG0103";
pub(super) const NULL_KEYWORD: &str = "SIG0104";

pub(super) const UNKNOWN_MODIFIER: &str = "SIG0201";
pub(super) const CONTRADICTION: &str = "SIG0202";
pub(super) const ORDER: &str = "SIG0203";
pub(super) const VALUE: &str = "SIG0204";
pub(super) const FIELDLESS: &str = "SIG0205";
pub(super) const LONELY_ALL: &str = "SIG0206";
pub(super) const NEVER: &str = "SIG0207";

pub(super) const SYNTAX: &str = "SIG0301";
pub(super) const UNDEFINED: &str = "SIG0302";
pub(super) const NO_SEARCHES: &str = "SIG0303";
pub(super) const QUANTITY: &str = "SIG0304";
pub(super) const AGGREGATION: &str = "SIG0305";

pub(super) const CORRELATION_TYPE: &str = "SIG0401";
pub(super) const TIMESPAN: &str = "SIG0402";
pub(super) const CORRELATION_CONDITION: &str = "SIG0403";
pub(super) const ALIAS: &str = "SIG0404";
pub(super) const UNGROUPED: &str = "SIG0405";
