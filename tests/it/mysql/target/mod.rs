//! MySQL and MariaDB as the new backend.

mod checks;
mod migrations;
