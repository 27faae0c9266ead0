//! The process of service `reporting`.

fn main() -> std::process::ExitCode {
    service_kit::run::<reporting::Reporting>()
}
