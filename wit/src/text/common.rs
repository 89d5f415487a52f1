//! Which bytes are rare in the text of logs: what guesses at how often something is found start from.

/// How common a byte is in folded text of logs, roughly: 1 for the most common ones.
pub fn commonness(byte: u8) -> f64 {
    match byte {
        b'e' | b's' | b't' | b'i' | b'o' | b'r' | b'n' | b'a' | b'\\' | b' ' => 1.0,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'w' | b'u' | b'h' | b'x' | b'y' | b'f' | b'g' | b'.' => 0.7,
        b'0'..=b'9' | b'-' | b':' | b'_' => 0.5,
        b'a'..=b'z' => 0.4,
        _ => 0.2,
    }
}
