//! A first mapping, proposed from both live schemas.
//!
//! What is known of a platform, or guessed of tables that no platform is known for, is brought into
//! one form: what the old shop can say of a cart (`OldShop`), and what the new one wants to be told
//! (`NewShop`). A proposal for any pair comes from putting the two together.

mod column;
mod combine;
mod draft;
mod guess;
mod list;
mod platform;
mod recognise;
mod render;
mod settle;
mod spelling;
mod template;
mod words;
#[cfg(test)]
mod tests;

pub use draft::{Confidence, Draft, Shops};
pub use list::{of_source, of_target};
pub use render::{End, Ends};
pub use settle::settle;

use crate::catalog::Catalog;

/// The mapping that both schemas suggest; nothing of it is checked yet.
pub fn propose(source: &Catalog, target: &Catalog) -> Draft {
    let old = recognise::old_shop(source).unwrap_or_else(|| guess::old_shop(source));
    let new = recognise::new_shop(target).unwrap_or_else(|| guess::new_shop(target));
    combine::combine(&old, source, &new, target)
}
