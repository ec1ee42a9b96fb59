//! The sizes of the long run, which `CARTAGE_LONG` in the environment asks for.

pub fn size<T>(short: T, long: T) -> T {
    match std::env::var_os("CARTAGE_LONG") {
        Some(_) => long,
        None => short,
    }
}
