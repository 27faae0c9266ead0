//! The operator's tool (运维工具).

fn main() -> std::process::ExitCode {
    dudao::cli::run()
}
