//! A cart as a value: its key, the tables it is made of, and its image.

pub mod image;
pub mod key;
pub mod layout;
