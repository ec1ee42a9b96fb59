//! A cart as a value: its key, the tables it is made of, its image, and how a change alters it.

pub mod key;
pub mod layout;
pub mod answers;
pub mod image;
pub mod codec;
pub mod fold;
pub mod owner;
