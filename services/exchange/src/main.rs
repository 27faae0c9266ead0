//! The process of service `exchange`.

fn main() -> std::process::ExitCode {
    service_kit::run::<exchange::Exchange>()
}
