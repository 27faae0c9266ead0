//! The service that tells people (告知).

fn main() -> std::process::ExitCode {
    service_kit::run::<notifications::Notifications>()
}
