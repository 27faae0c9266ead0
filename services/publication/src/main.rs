//! The process of service `publication`.

fn main() -> std::process::ExitCode {
    service_kit::run::<publication::PublicationService>()
}
