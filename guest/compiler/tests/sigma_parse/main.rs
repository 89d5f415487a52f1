//! What Sigma's forms are read as, and what is said about those that are wrong, and where.

mod collections;
mod conditions;
mod correlations;
mod rules;
mod searches;
mod show;
