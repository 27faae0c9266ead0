//! The web console (督导工作台).

fn main() -> std::process::ExitCode {
    service_kit::run_stateless::<console::Console>()
}
