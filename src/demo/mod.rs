//! `cartage demo`: the main job, live, on throwaway databases.

pub mod binaries;
pub mod cluster;
mod template;
