//! What systemd sees of a pipeline: its unit, and what the daemon tells it.

mod notify;
mod socket;
mod unit;
