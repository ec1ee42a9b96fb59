//! What the names in an expression can mean.

use std::sync::Arc;

use super::Expr;
use super::functions::IdKey;
use crate::cart::image::{Image, Row};
use crate::cart::layout::Layout;
use crate::mapping::lookup::Lookup;
use crate::sqltype::Class;

/// The tables of the cart, and the one whose rows the expression is evaluated for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub layout: &'a Layout,
    /// Index of the table in the layout.
    pub per: usize,
}

/// What else names mean where target rows are not simply one for each row.
#[derive(Clone, Copy, Default)]
pub struct Shaped<'a> {
    /// The class of `item`, where each row is one of the elements of a payload.
    pub item: Option<Class>,
    /// The grouping expressions, where a target row stands for a group of rows.
    pub group: Option<&'a [Expr]>,
    /// The lookups that can be called.
    pub lookups: &'a [Arc<Lookup>],
}

/// One element of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub key: String,
    /// JSON.
    pub item: String,
}

/// A source row, or an element of its payload.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    pub row: &'a Row,
    /// The row's place in its table.
    pub at: usize,
    pub element: Option<Element>,
    pub stamp: i64,
}

/// What an expression is evaluated over besides the row.
#[derive(Clone, Copy, Default)]
pub struct Parts<'a> {
    pub element: Option<&'a Element>,
    pub group: Option<&'a [Member<'a>]>,
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
