//! Merges against a target of plain rows.

mod both_ways;
mod bounds;
mod fields;
mod histories;
mod model;
mod rows;
mod rules;
mod stored;
