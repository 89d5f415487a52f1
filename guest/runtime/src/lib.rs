//! Functions linked into compiled components.
