//! What the names in an expression can mean.

use super::functions::IdKey;
use crate::cart::image::{Image, Row};
use crate::cart::layout::Layout;

/// The tables of the cart, and the one whose rows the expression is evaluated for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub layout: &'a Layout,
    /// Index of the table in the layout.
    pub per: usize,
}

/// What an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    pub layout: &'a Layout,
    pub image: &'a Image,
    /// A row of the scope's `per`.
    pub row: &'a Row,
    /// `commit_time()`: microseconds since 1970 UTC.
    pub stamp: i64,
    /// The pipeline's key for `keyed_id` and `uuid_v5`.
    pub secret: &'a IdKey,
    /// What zoneless timestamps mean where they are cast to a moment.
    pub time_zone: chrono_tz::Tz,
}
