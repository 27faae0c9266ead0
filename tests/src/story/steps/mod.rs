//! The ten steps, a file each.

pub mod kinds;
pub mod papers;
pub mod s01_import;
pub mod s02_supervise;
pub mod s03_clocks;
pub mod s04_report;
pub mod s05_overdue;
pub mod s06_tell;
pub mod s07_account;
pub mod s08_publish;
pub mod s09_exchange;
pub mod s10_console;
pub mod watched;
