//! The new backend's database: guarded writes of whole carts, and the control tables.

pub mod control;
