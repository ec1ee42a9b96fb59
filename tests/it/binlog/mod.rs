//! The binlog of real servers as events.

mod definitions;
mod images;
mod log;
mod places;
mod snapshots;
mod stand;
mod transactions;
