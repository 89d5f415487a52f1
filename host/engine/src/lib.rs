//! Loads, limits and evaluates detection components.
