//! Configuration: a TOML file, the environment over it, every fault reported at once.
//!
//! A section is declared with [`section!`](crate::section!), a service's configuration with
//! [`config!`](crate::config!). Both read key by key, so that one wrong value does not hide the next:
//!
//! ```
//! service_kit::section! {
//!     /// The mail relay.
//!     pub struct SmtpSection {
//!         /// Host name of the relay.
//!         pub host: String,
//!         /// Port of the relay.
//!         pub port: u16 = 25,
//!     }
//! }
//! service_kit::config! {
//!     /// What this service is told at start.
//!     pub struct Config : service_kit::config::Common {
//!         /// `[smtp]`
//!         pub smtp: SmtpSection,
//!     }
//! }
//! impl service_kit::config::Validate for Config {
//!     fn validate(&self, faults: &mut service_kit::config::Faults) {
//!         if self.smtp.port == 0 {
//!             faults.add("smtp.port", "端口不能为 0", "a port cannot be 0");
//!         }
//!     }
//! }
//! ```
//!
//! `DUDAO_SMTP__PORT=2525` in the environment stands over `port` in `[smtp]`. Secrets are given as
//! paths of files ([`SecretFile`]), so that a mounted Kubernetes Secret works.

mod common;
mod faults;
mod reader;
mod secret;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use common::{
    AccessSection, BrokerSection, ClockSection, Common, DatabaseSection, FilesSection, HttpSection, JournalSection,
    LogFormat, OutboundSection, StatelessCommon, TelemetrySection,
};
pub use faults::{Fault, Faults};
pub use reader::{ConfigGroup, ConfigRoot, ConfigSection, RootReader, SectionReader};
pub use secret::SecretFile;

/// Exit code of a process whose configuration is wrong (`EX_CONFIG` of sysexits.h).
pub const EX_CONFIG: u8 = 78;

/// Rules between keys, checked after every key has been read.
pub trait Validate {
    /// Adds a fault for every rule that is broken.
    fn validate(&self, faults: &mut Faults);
}

/// What the command line of a service may say.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Arguments {
    /// Configuration file (TOML); without it the file named by `DUDAO_CONFIG`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read and check the configuration, then stop.
    #[arg(long)]
    pub check_config: bool,
    /// Apply the migrations of the service's database, then stop; a service without a database only starts to look.
    #[arg(long)]
    pub migrate: bool,
}

/// The process environment as the loader sees it.
///
/// This is the one place of the system that reads environment variables.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(reader::PREFIX))
        .collect()
}

impl Arguments {
    /// Reads a command line, the program's name first. The error is also how `--help` and
    /// `--version` speak.
    pub fn read(service: &'static str, args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        use clap::{Args as _, FromArgMatches as _};
        let command = Self::augment_args(clap::Command::new(service)).version(env!("CARGO_PKG_VERSION"));
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }
}

/// Reads and checks the configuration of a service; the error carries every fault that was found.
///
/// `file` is what the command line says ([`Arguments`]), `environment` the variables ([`environment`]);
/// without a file on the command line `DUDAO_CONFIG` names it.
pub fn load<C: ConfigRoot + Validate>(file: Option<&Path>, environment: &[(String, String)]) -> Result<C, Faults> {
    let named = environment.iter().find(|(name, _)| name == "DUDAO_CONFIG").map(|(_, value)| PathBuf::from(value));
    let mut root = match file.map(Path::to_owned).or(named) {
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => RootReader::parse(&path.display().to_string(), &text, environment)?,
            Err(error) => {
                return Err(Faults::single(
                    &path.display().to_string(),
                    &format!("配置文件无法读取：{error}"),
                    &format!("the configuration file cannot be read: {error}"),
                ));
            }
        },
        None => RootReader::parse("(environment)", "", environment)?,
    };
    let config = C::read(&mut root);
    let mut faults = root.finish();
    // The rules between keys speak as well when only an unknown key stands in the way.
    if let Some(config) = &config {
        config.validate(&mut faults);
    }
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        Some(_) | None => Err(faults),
    }
}

/// Declares one section of a configuration file; see the module's documentation.
///
/// A field is `name: Type` (required) or `name: Type = default`. Every type must be
/// `serde::de::DeserializeOwned`.
#[macro_export]
macro_rules! section {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty $(= $default:expr)?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type,)* }
        impl $crate::config::ConfigSection for $name {
            fn read(reader: &mut $crate::config::SectionReader<'_>) -> ::core::option::Option<Self> {
                // Read all first: a fault in one key must not hide the faults of the next.
                $(let $field: ::core::option::Option<$type> =
                    $crate::section!(@read reader, stringify!($field), $type $(, $default)?);)*
                ::core::option::Option::Some(Self { $($field: $field?,)* })
            }
        }
    };
    (@read $reader:ident, $key:expr, $type:ty) => { $reader.required::<$type>($key) };
    (@read $reader:ident, $key:expr, $type:ty, $default:expr) => {
        $reader.defaulted::<$type>($key, || $default)
    };
}

/// Declares the configuration of a service over [`Common`] or [`StatelessCommon`]; see the
/// module's documentation.
#[macro_export]
macro_rules! config {
    ($(#[$meta:meta])* $vis:vis struct $name:ident : $common:ty {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            /// The sections that every service has.
            pub common: $common,
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }
        impl $crate::config::ConfigRoot for $name {
            type Common = $common;
            fn common(&self) -> &$common { &self.common }
            fn read(root: &mut $crate::config::RootReader) -> ::core::option::Option<Self> {
                let common = <$common as $crate::config::ConfigGroup>::read(root);
                $(let $field = root.section::<$type>(stringify!($field));)*
                ::core::option::Option::Some(Self { common: common?, $($field: $field?,)* })
            }
        }
    };
}
