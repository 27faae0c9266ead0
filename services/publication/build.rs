//! Rebuilds the crate when a migration changes, which the macro cannot see by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
