//! The process of service `deadlines`.

fn main() -> std::process::ExitCode {
    service_kit::run::<deadlines::Deadlines>()
}
