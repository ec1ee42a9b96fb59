//! What goes wrong with slots, publications, schemas, values and privileges, against real servers and
//! the real binary: the message, the exit code, and that nothing is lost once it is mended.

mod beginnings;
mod ground;
mod headroom;
mod lookups;
mod privileges;
mod publication;
mod slot;
mod source_backlog;
mod source_schema;
mod target_schema;
mod values;
mod versions;
