//! Number functions that have no WebAssembly instruction.

/// KQL's `%` on reals: the remainder that is never negative.
pub fn real_modulo(left: f64, right: f64) -> f64 {
    let remainder = left % right;
    if remainder < 0.0 { remainder + right.abs() } else { remainder }
}

/// KQL's `%` on integers: the remainder that is never negative; 0 for a divisor of 0, which is null to the caller.
pub fn integer_modulo(left: i64, right: i64) -> i64 {
    let remainder = left.checked_rem(right).unwrap_or(0);
    if remainder < 0 { remainder.wrapping_add(right.wrapping_abs()) } else { remainder }
}

/// Whether a sorted set has a value.
pub fn set_contains(set: &[i64], value: i64) -> bool {
    set.binary_search(&value).is_ok()
}
