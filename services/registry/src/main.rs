//! The service that knows who there is (登记).

fn main() -> std::process::ExitCode {
    service_kit::run::<registry::Registry>()
}
