//! The process of service `tasks`.

fn main() -> std::process::ExitCode {
    service_kit::run::<tasks::Tasks>()
}
