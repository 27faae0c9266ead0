//! The process of service `documents`.

fn main() -> std::process::ExitCode {
    service_kit::run_stateless::<documents_room::Documents>()
}
